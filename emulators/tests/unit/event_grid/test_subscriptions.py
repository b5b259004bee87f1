import json

import pytest

from emulators.event_grid.events import Schema
from emulators.event_grid.subscriptions import described, read_subscriptions

ENTRY = {"name": "enrichment", "endpoint": "http://127.0.0.1:7071/hook?code=hidden"}


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, True),
        ({"subject_begins_with": "adf_trigger_"}, True),
        ({"subject_begins_with": "adf_trigger_", "is_subject_case_sensitive": True}, False),
        ({"subject_begins_with": "Window_"}, False),
        ({"subject_ends_with": "Trades"}, True),
        ({"subject_ends_with": "Trade"}, False),
        ({"included_event_types": ("Window_Closed", "adf_event")}, True),
        ({"included_event_types": ("Window_Closed",)}, False),
        ({"subject_ends_with": "Trades", "included_event_types": ("Window_Closed",)}, False),
    ],
)
def test_filters_look_at_subject_and_type(subscription, grid_event, filters, wanted):
    assert subscription(**filters).wants(grid_event()) is wanted


def test_a_cloud_event_without_subject_passes_only_an_empty_filter(subscription, cloud_event):
    assert subscription().wants(cloud_event())
    assert not subscription(subject_begins_with="a").wants(cloud_event())


def test_a_file_lists_subscriptions_with_azures_defaults(tmp_path):
    path = tmp_path / "subscriptions.json"
    path.write_text(json.dumps({"subscriptions": [{**ENTRY, "subjectBeginsWith": "ADF_"}]}))

    (found,) = read_subscriptions(path)

    assert (found.name, found.subject_begins_with, found.event_delivery_schema) == (
        "enrichment",
        "ADF_",
        Schema.EVENT_GRID,
    )
    assert (found.max_delivery_attempts, found.event_time_to_live_in_minutes) == (30, 1440)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"maxDeliveryAttempts": 31}, "maxDeliveryAttempts"),
        ({"eventTimeToLiveInMinutes": 0}, "eventTimeToLiveInMinutes"),
        ({"eventDeliverySchema": "Mine"}, "eventDeliverySchema"),
        ({"endpoint": "ftp://x"}, "endpoint"),
        ({"name": "a b"}, "name"),
        ({"subjectBegins": "x"}, "subjectBegins"),
    ],
)
def test_a_file_that_azure_would_refuse_is_refused_by_field(tmp_path, change, words):
    path = tmp_path / "subscriptions.json"
    path.write_text(json.dumps({"subscriptions": [ENTRY | change]}))

    with pytest.raises(ValueError, match=words):
        read_subscriptions(path)


def test_a_description_hides_the_key_in_the_endpoint(subscription):
    assert described(subscription())["endpoint"] == "http://localhost:1/hook"
