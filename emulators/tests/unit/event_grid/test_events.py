import json

import pytest

from emulators.event_grid.events import MalformedEvents, Schema, as_schema, parse_events

GRID = {"id": "1", "subject": "s", "eventType": "t", "eventTime": "2026-11-22T12:00:00Z", "data": {"n": 1}}
CLOUD = {"id": "1", "source": "/s", "type": "t", "specversion": "1.0"}
BATCH, SINGLE = "application/cloudevents-batch+json", "application/cloudevents+json"


def parse(content, content_type="application/json"):
    return parse_events(json.dumps(content).encode(), content_type, "/topic")


def test_an_event_grid_event_is_stamped_with_what_the_topic_knows():
    (event,) = parse([GRID])

    assert event.fields == {**GRID, "topic": "/topic", "dataVersion": "", "metadataVersion": "1"}
    assert (event.schema, event.id, event.subject, event.type) == (Schema.EVENT_GRID, "1", "s", "t")


def test_cloud_events_come_one_by_one_or_in_a_batch_and_may_have_extensions():
    (single,) = parse({**CLOUD, "trace": "x"}, SINGLE)
    batch = parse([CLOUD, CLOUD], BATCH)

    assert (single.schema, single.fields["trace"], single.subject) == (Schema.CLOUD_EVENTS, "x", "")
    assert len(batch) == 2


@pytest.mark.parametrize("field", ["id", "subject", "eventType", "eventTime"])
def test_a_missing_field_is_refused_by_event_and_name(field):
    broken = {name: value for name, value in GRID.items() if name != field}

    with pytest.raises(MalformedEvents, match=rf"Event 1: .*`{field}`"):
        parse([GRID, broken])


@pytest.mark.parametrize("field", ["id", "source", "type", "specversion"])
def test_a_cloud_event_without_a_required_attribute_is_refused(field):
    with pytest.raises(MalformedEvents, match=f"`{field}`"):
        parse([{name: value for name, value in CLOUD.items() if name != field}], BATCH)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GRID, "must be a JSON array"),
        ([], "at least one event"),
        (["text"], "Event 0"),
        ([{**GRID, "eventTime": "yesterday"}], "eventTime"),
        ([{**GRID, "id": ""}], "id"),
        ([{**GRID, "topic": "/another"}], "`topic` is '/another'"),
        ([{**GRID, "metadataVersion": "2"}], "metadataVersion"),
        ([GRID] * 5001, "5000 is the most"),
    ],
)
def test_what_is_no_array_of_events_is_refused(content, words):
    with pytest.raises(MalformedEvents, match=words):
        parse(content)


def test_what_is_not_json_is_refused():
    with pytest.raises(MalformedEvents, match="not JSON"):
        parse_events(b"[{", "application/json", "/topic")


def test_an_event_grid_event_becomes_a_cloud_event(grid_event):
    assert as_schema(grid_event(n=1), Schema.CLOUD_EVENTS) == {
        "specversion": "1.0",
        "id": "trades-1",
        "source": "/topic",
        "type": "ADF_Event",
        "subject": "ADF_Trigger_Trades",
        "time": "2026-11-22T12:00:00Z",
        "dataschema": "#1.0",
        "data": {"n": 1},
    }


def test_a_cloud_event_becomes_no_event_grid_event(cloud_event):
    with pytest.raises(LookupError, match="CloudEvent"):
        as_schema(cloud_event(), Schema.EVENT_GRID)
