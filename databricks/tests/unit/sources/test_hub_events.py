"""Received events become columns, whatever kind of values they carry."""

from datetime import UTC, datetime

import pytest
from azure.eventhub import EventData
from azure.eventhub._pyamqp.message import Message
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.hub_events import COLUMNS, columns_of
from lakehouse.streams.decoding import text_of

MONDAY = "2026-11-23T10:00:00.000+00:00"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=9)
VALUES = st.one_of(TEXTS, st.binary(max_size=9), st.booleans(), st.integers(-(2**31), 2**31 - 1), st.none())


def event(number=1, key=None, /, **properties):
    """An event as the client has it after decoding: texts are bytes."""
    places = {
        b"x-opt-sequence-number": number,
        b"x-opt-offset": b"%d" % number,
        b"x-opt-enqueued-time": 1_700_000_000_123,
    }
    keys = {} if key is None else {b"x-opt-partition-key": key.encode()}
    received = {received_text(name): received_text(value) for name, value in properties.items()}
    message = Message(message_annotations=places | keys, application_properties=received or None, data=[b"a", b"b"])
    return EventData._from_message(message)


def received_text(value):
    return value.encode() if isinstance(value, str) else value


def properties_of(*events):
    return [dict(found) for found in columns_of(events, "0", MONDAY)["properties"].to_pylist()]


def test_an_event_has_all_of_bronzes_columns():
    (row,) = columns_of([event(7, "BTC", contract="trades/1")], "3", MONDAY).to_pylist()

    at = datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC)
    place = {"partition": "3", "offset": "7", "sequence_number": 7, "enqueued_at": at, "partition_key": "BTC"}
    assert row == {"body": b"ab", **place, "properties": [("contract", "trades/1")], "epoch": MONDAY}


def test_events_with_and_without_key_and_properties_stand_side_by_side():
    columns = columns_of([event(1), event(2, "a", rows=5, ok=True), event(3, slice="x")], "0", MONDAY)

    assert columns.schema == COLUMNS
    assert columns["partition_key"].to_pylist() == [None, "a", None]
    assert columns["properties"].to_pylist() == [[], [("rows", "5"), ("ok", "true")], [("slice", "x")]]


@pytest.mark.parametrize(
    ("sections", "body"),
    [
        pytest.param({"value": b"ab"}, b"ab", id="bytes"),
        pytest.param({"value": "ü"}, "ü".encode(), id="text"),
        pytest.param({"value": 7}, b"7", id="number"),
        pytest.param({"value": None}, None, id="null"),
        pytest.param({"sequence": [[1, 2]]}, b"[[1, 2]]", id="sequence"),
        pytest.param({"data": []}, None, id="nothing"),
        pytest.param({"data": [b""]}, b"", id="empty"),
    ],
)
def test_a_body_that_other_clients_send_is_taken_as_it_is(sections, body):
    places = {b"x-opt-sequence-number": 1, b"x-opt-enqueued-time": 1_700_000_000_123}
    received = EventData._from_message(Message(message_annotations=places, **sections))

    assert columns_of([received], "0", MONDAY)["body"].to_pylist() == [body]


def test_bytes_that_are_no_utf_8_are_still_text():
    assert properties_of(event(good="ü", bad=b"\xff")) == [{"good": "ü", "bad": "\ufffd"}]


@given(st.lists(st.dictionaries(TEXTS.filter(bool), VALUES, max_size=3), min_size=1, max_size=4))
def test_every_value_is_spelled_as_in_the_other_sources(found):
    spelled = [{name: text_of(value) for name, value in properties.items()} for properties in found]

    assert properties_of(*(event(**properties) for properties in found)) == spelled


def test_an_event_without_its_sequence_number_is_no_event_of_a_hub():
    with pytest.raises(KeyError, match="sequence-number"):
        columns_of([EventData(b"sent, not received")], "0", MONDAY)
