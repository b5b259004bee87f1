import json
from datetime import UTC, datetime, timedelta

import pytest
from azure.eventhub import EventData
from azure.eventhub._pyamqp.message import Message
from hypothesis import given
from hypothesis import strategies as st

from emulators.functions_host.listeners.event_batches import UnreadableEvent, WaitingEvents, many, one

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACE = {"PartitionId": "3"}


def event(body, sequence_number=7, key=b"BTC", value=None, **properties):
    """Make an event as the client receives it; with `value`, its AMQP body is that instead of data."""
    annotations = {
        b"x-opt-sequence-number": sequence_number,
        b"x-opt-offset": b"4096",
        b"x-opt-partition-key": key,
        b"x-opt-enqueued-time": int(NOON.timestamp() * 1000),
    }
    names = {name.encode(): value for name, value in properties.items()}
    content = {"data": [body]} if value is None else {"value": value}
    message = Message(**content, message_annotations=annotations, application_properties=names)
    return EventData._from_message(message)


def read(given_):
    return {name: json.loads(data.json) for name, data in given_.metadata.items()}


def test_a_batch_is_a_collection_of_texts_with_an_array_of_each_kind_of_metadata():
    found = many([event(b"a", 7), event(b"b", 8, None, rows=2)], PLACE, binary=False)

    assert (found.value.kind, found.value.value.string) == ("collection_string", ["a", "b"])
    facts = read(found)
    assert facts["PartitionContext"] == PLACE
    assert (facts["SequenceNumberArray"], facts["OffsetArray"]) == ([7, 8], ["4096", "4096"])
    assert (facts["PartitionKeyArray"], facts["PropertiesArray"]) == (["BTC", None], [{}, {"rows": 2}])
    assert facts["EnqueuedTimeUtcArray"] == ["2026-11-22T12:00:00"] * 2
    assert [system["SequenceNumber"] for system in facts["SystemPropertiesArray"]] == [7, 8]


def test_a_single_event_is_one_text_with_its_own_metadata():
    found = one(event(b"a", contract=b"trade/1"), PLACE, binary=False)

    facts = read(found)
    assert (found.value.kind, found.value.value) == ("string", "a")
    assert (facts["SequenceNumber"], facts["Offset"], facts["PartitionKey"]) == (7, "4096", "BTC")
    assert facts["Properties"] == {"contract": "trade/1"}
    assert facts["SystemProperties"]["EnqueuedTimeUtc"] == "2026-11-22T12:00:00"


def test_bytes_are_kept_for_a_binary_binding_and_replaced_in_a_text():
    assert many([event(b"\xff")], PLACE, binary=True).value.value.bytes == [b"\xff"]
    assert one(event(b"\xff"), PLACE, binary=True).value.value == b"\xff"
    assert one(event(b"\xff"), PLACE, binary=False).value.value == "�"


def test_an_event_that_no_hub_gave_has_the_metadata_of_a_new_one():
    facts = read(one(EventData("by hand"), None, binary=False))

    assert (facts["SequenceNumber"], facts["Offset"], facts["PartitionKey"]) == (-(2**63), None, None)
    assert (facts["EnqueuedTimeUtc"], facts["PartitionContext"]) == ("0001-01-01T00:00:00", None)


def test_an_event_whose_body_is_no_data_is_refused():
    with pytest.raises(UnreadableEvent, match="event 8 has an AMQP body of the kind value"):
        many([event(b"fine"), event(None, 8, value={"a": 1})], PLACE, binary=False)


def test_events_wait_until_there_are_enough_or_the_first_has_waited_long_enough():
    waiting = WaitingEvents(3, 4, timedelta(seconds=5))

    assert waiting.take("ab", NOON) == []
    assert waiting.take("cde", NOON + timedelta(seconds=1)) == [*"abcd"]
    assert waiting.take("", NOON + timedelta(seconds=5)) == []
    assert waiting.take("", NOON + timedelta(seconds=6)) == ["e"]
    assert waiting.take("", NOON + timedelta(seconds=60)) == []


@given(st.lists(st.lists(st.integers(), max_size=9)), st.integers(1, 5), st.integers(0, 4))
def test_waiting_events_are_given_once_in_order_and_never_too_many(arrivals, least, more):
    waiting, most, moment, batches = WaitingEvents(least, least + more, timedelta(seconds=5)), least + more, NOON, []
    for arrived in [*arrivals, *([[]] * sum(map(len, arrivals)))]:
        moment += timedelta(seconds=6)
        batches.append(waiting.take(arrived, moment))

    assert [one_ for batch in batches for one_ in batch] == [one_ for arrived in arrivals for one_ in arrived]
    assert max(map(len, batches), default=0) <= most
