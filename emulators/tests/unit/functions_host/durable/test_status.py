import json
from datetime import UTC, datetime, timedelta

import pytest

from emulators.functions_host.durable.history import EventType, event
from emulators.functions_host.durable.links import Links
from emulators.functions_host.durable.model import Instance
from emulators.functions_host.durable.status import history_listing, parse_filter, status_document

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Instance("win-1", "e", "n", "Running", NOW, NOW, input='"{\\"a\\": 1}"', custom_status='{"x": 1}')


def test_json_text_inside_json_text_is_shown_as_text():
    shown = status_document(ONE, with_input=True)

    assert (shown["input"], shown["customStatus"], shown["output"]) == ('{"a": 1}', {"x": 1}, None)
    assert shown["createdTime"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("query", "held"),
    [
        ({}, True),
        ({"runtimeStatus": "Completed,Running"}, True),
        ({"runtimeStatus": "Completed"}, False),
        ({"instanceIdPrefix": "win"}, True),
        ({"instanceIdPrefix": "leg"}, False),
        ({"createdTimeFrom": "2026-01-01T00:00:00Z"}, True),
        ({"createdTimeFrom": "2026-01-01T00:00:01"}, False),
        ({"createdTimeTo": "2025-12-31T00:00:00Z"}, False),
    ],
)
def test_a_filter_holds_what_it_names(query, held):
    assert parse_filter(query).holds(ONE) is held


def test_a_time_that_is_none_is_refused():
    with pytest.raises(ValueError, match="yesterday"):
        parse_filter({"createdTimeTo": "yesterday"})


def test_the_listing_joins_a_tasks_end_with_its_beginning():
    later = NOW + timedelta(seconds=2)
    events = [
        event(EventType.ORCHESTRATOR_STARTED, NOW),
        event(EventType.TASK_SCHEDULED, NOW, EventId=0, Name="work"),
        event(EventType.TASK_COMPLETED, later, TaskScheduledId=0, Result="[1]"),
    ]

    (shown,) = history_listing([json.dumps(e) for e in events], with_output=True)
    (hidden,) = history_listing([json.dumps(e) for e in events], with_output=False)

    assert (shown["EventType"], shown["FunctionName"], shown["Result"]) == ("TaskCompleted", "work", [1])
    assert shown["ScheduledTime"] < shown["Timestamp"]
    assert "Result" not in hidden


def test_the_client_binding_names_hub_and_addresses():
    links = Links("http://127.0.0.1:1", "http://127.0.0.1:2/durabletask/", "Hub", "key")

    value = json.loads(links.client_binding())

    assert (value["taskHubName"], value["rpcBaseUrl"]) == ("Hub", "http://127.0.0.1:2/durabletask/")
    assert value["managementUrls"]["id"] in value["managementUrls"]["statusQueryGetUri"]
    assert links.of("i", "http://other:9")["terminatePostUri"].startswith(
        "http://other:9/runtime/webhooks/durabletask/"
    )
