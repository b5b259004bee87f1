"""The triggers of promotions: batches of hubs become events of the app."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import azure.functions as func
import pytest
from azure.functions.meta import Datum

from blueprints import promotions
from blueprints.hub_events import events_of
from shared.errors import Unavailable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROPERTIES = [{"contract": "gps/1", "slice": "s"}, {"contract": "gps/1", "rows": 2, "encoding": "zstd"}]


def batch(bodies=(b"{}", b"\xff"), properties=PROPERTIES):
    metadata = {"PropertiesArray": Datum(json.dumps(properties), "json")}
    more = {"trigger_metadata": metadata, "partition_key": "app", "enqueued_time": NOON}
    return [func.EventHubEvent(body=body, **more) for body in bodies]


def test_each_event_has_its_own_properties_and_its_count_of_records():
    first, second = events_of(batch())

    assert (first.body, first.rows, dict(first.properties), first.partition_key) == (b"{}", 1, PROPERTIES[0], "app")
    assert first.at == NOON
    assert (second.body, second.rows, second.properties["encoding"]) == (b"\xff", 2, "zstd")


def test_an_empty_batch_has_no_events():
    assert events_of([]) == []


@pytest.mark.parametrize("rows", ["2", None, -1, 0, 1.5])
def test_a_count_that_is_none_fits_no_body(rows):
    (event,) = events_of(batch([b"{}"], [{"rows": rows}]))

    assert event.rows == 0


@pytest.mark.parametrize(
    ("name", "flow", "tools"),
    [("promote_points", "promote", "promotion_tools"), ("push_promotions", "push", "push_tools")],
)
def test_a_trigger_hands_its_batch_to_its_flow_and_fails_where_that_fails(monkeypatch, name, flow, tools):
    given = []

    def fail(*arguments):
        given.append(arguments)
        raise Unavailable("away")

    monkeypatch.setattr(promotions, "services", lambda: SimpleNamespace(**{tools: "the tools"}))
    monkeypatch.setattr(promotions, flow, fail)

    with pytest.raises(Unavailable):
        getattr(promotions, name).build().get_user_function()(batch())

    assert [(tools, len(events)) for tools, events in given] == [("the tools", 2)]


@pytest.mark.parametrize("name", ["promote_points", "push_promotions"])
def test_a_batch_that_fails_is_tried_again_for_ever_since_the_checkpoint_moves_on_after_the_last_try(name):
    setting = getattr(promotions, name).build().get_settings_dict("retry_policy")

    assert setting["max_retry_count"] == "-1"
