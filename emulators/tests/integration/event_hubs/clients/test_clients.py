"""Microsoft's clients in other languages, over each transport: what they send and read."""

import asyncio
import base64
import time
import uuid
from datetime import UTC, datetime

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient as AioConsumer

from tests.integration.event_hubs.clients.conftest import (
    LIMIT,
    PARTITIONS,
    RECEIVER,
    SENDER,
    TENANT,
    Failed,
    last_sequences,
    refused,
)
from tests.integration.event_hubs.conftest import receive

BODIES = [b"event %d" % number for number in range(5)]
MOMENT = datetime(2026, 11, 27, 10, 0, 0, 123_000, UTC)
OF_EVERY_TYPE = {
    "string": "text é世",
    "int": -7,
    "long": 2**40,
    "double": 0.25,
    "boolean": True,
    "timestamp": int(MOMENT.timestamp() * 1000),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "binary": b"\x00\x01\xff",
    "symbol": "a-symbol",
}


def secret(place, client, word=None):
    login = {"kind": "secret", "tenant": TENANT, "client_id": client.client_id, "secret": word or client.secret}
    return login | {"authority": place.authority}


def bodies(events):
    return [base64.b64decode(event["body"]) for event in events]


def wait_for_readers(hub, name, partition, count):
    """Until so many links read a partition: what is sent now reaches them, and none of an earlier test is left."""
    deadline = time.monotonic() + 20
    while hub.partition(name, partition)["readers"] != count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_client_secret_with_the_sending_role_sends_and_may_not_read(place, connect, hub, name, last):
    sender = connect(secret(place, SENDER))

    sender.send(b"a", partition="0")
    failed = refused(lambda: sender.receive("0", 1, earliest=True))

    assert hub.partition(name, "0")["last_sequence_number"] == last[0] + 1
    assert failed.condition == "amqp:unauthorized-access"
    assert "Azure Event Hubs Data Receiver" in failed.message


def test_a_client_secret_with_the_reading_role_reads_and_may_not_send(place, connect, program):
    program.send(b"a", partition="0")
    receiver = connect(secret(place, RECEIVER))

    events = receiver.receive("0", 1, earliest=True)
    failed = refused(lambda: receiver.send(b"a", partition="0"))

    assert events
    assert failed.condition == "amqp:unauthorized-access"
    assert "Azure Event Hubs Data Sender" in failed.message


def test_a_wrong_client_secret_is_refused_by_entra_with_its_code(place, connect):
    failed = refused(lambda: connect(secret(place, SENDER, "wrong")).send(b"a"))

    assert "AADSTS7000215" in failed.message


def test_the_properties_of_hub_and_partition_are_read(program, hub, name):
    program.send(b"a", partition="1")
    known = hub.partition(name, "1")

    described, found = program.ask("properties"), program.ask("partition", partition="1")

    assert (described["name"], described["partitions"]) == (name, [str(n) for n in range(PARTITIONS)])
    assert abs(described["created_ms"] / 1000 - time.time()) < 3600
    assert (found["partition"], found["empty"]) == ("1", False)
    assert (found["first_sequence"], found["last_sequence"]) == (0, known["last_sequence_number"])
    assert found["last_offset"] == known["last_offset"]
    assert abs(found["last_enqueued_ms"] / 1000 - time.time()) < 60


@pytest.mark.parametrize("size", [0, 500, 200_000])
def test_a_batch_filled_to_its_limit_is_stored_event_by_event(program, hub, name, last, size):
    filled = program.ask("fill", bytes=size, partition="2")

    assert filled["bytes"] <= LIMIT < filled["bytes"] + size + 100
    assert hub.partition(name, "2")["last_sequence_number"] == last[2] + filled["events"]


def test_all_events_of_a_key_come_to_one_partition_and_bring_it_back(program, hub, name, last):
    for body in BODIES:
        program.send(body, body + b"'", key="Zürich")

    growth = [now - then for now, then in zip(last_sequences(hub, name), last, strict=True)]
    (partition,) = [index for index, count in enumerate(growth) if count]
    events = program.receive(str(partition), 10, sequence=last[partition])
    assert bodies(events) == [body + suffix for body in BODIES for suffix in (b"", b"'")]
    assert {event["key"] for event in events} == {"Zürich"}


async def test_properties_of_every_type_reach_pythons_client(program, hub, name, last):
    program.ask("send_types", partition="3")

    consumer = hub.plain_consumer(name, kind=AioConsumer)
    (event,) = await receive(consumer, 1, partition_id="3", starting_position=last[3])

    assert event.body_as_str() == "types"
    assert {key.decode(): _decoded(key, value) for key, value in event.properties.items()} == OF_EVERY_TYPE


def _decoded(name, value):
    return value.decode() if isinstance(value, bytes) and name != b"binary" else value


def test_properties_of_every_type_come_back_to_the_client(program, last):
    program.ask("send_types", partition="3")

    (event,) = program.receive("3", 1, sequence=last[3])

    assert {name: _untagged(value, OF_EVERY_TYPE[name]) for name, value in event["properties"].items()} == OF_EVERY_TYPE


def _untagged(value, wanted):
    """A value as Python has it: some libraries tell a UUID or a timestamp only as bytes and a number."""
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    plain = base64.b64decode(inner) if kind == "binary" else inner
    if isinstance(wanted, uuid.UUID):
        return uuid.UUID(bytes=plain) if kind == "binary" else uuid.UUID(plain)
    return plain


async def test_properties_that_pythons_client_sends_are_read(program, hub, name, last):
    event, sent = EventData(b"from Python"), {"text": "zwölf", "whole": -7, "real": 1.5, "yes": True}
    event.properties = dict(sent)
    with hub.plain_producer(name) as producer:
        await asyncio.to_thread(producer.send_batch, [event], partition_id="3", timeout=5)

    (got,) = program.receive("3", 1, sequence=last[3])

    assert (bodies([got]), got["properties"]) == ([b"from Python"], sent)


@pytest.fixture(scope="module")
def sent():
    """By hub: five events in partition 4, each with an enqueued time of its own, as they were read from the start."""
    return {}


@pytest.fixture
def five(sent, program, name):
    if name not in sent:
        for body in BODIES:
            program.send(body, partition="4")
            time.sleep(0.02)
        sent[name] = program.receive("4", 5, earliest=True)
    return sent[name]


POSITIONS = {
    "the earliest": (lambda five: {"earliest": True}, 0),
    "after an offset": (lambda five: {"offset": five[1]["offset"]}, 2),
    "after a sequence number": (lambda five: {"sequence": five[2]["sequence"]}, 3),
    "at a sequence number": (lambda five: {"sequence": five[2]["sequence"], "inclusive": True}, 2),
    "after a time": (lambda five: {"enqueued_ms": five[0]["enqueued_ms"]}, 1),
    "after a time before all": (lambda five: {"enqueued_ms": five[0]["enqueued_ms"] - 86_400_000}, 0),
}


@pytest.mark.parametrize("case", POSITIONS)
def test_reading_starts_at_each_position(program, five, case):
    position, first = POSITIONS[case]

    events = program.receive("4", 5 - first, **position(five))

    assert bodies(events) == BODIES[first:]
    assert [event["sequence"] for event in events] == list(range(first, 5))


def test_an_offset_is_included_where_the_client_can_ask_for_it(program, five, way):
    wanted = BODIES[2:] if way[0] not in WITHOUT_INCLUSIVE_OFFSETS else BODIES[3:]

    events = program.receive("4", len(wanted), offset=five[2]["offset"], inclusive=True)

    assert bodies(events) == wanted


WITHOUT_INCLUSIVE_OFFSETS = {"java"}


@pytest.mark.parametrize(
    ("position", "named"), [({"sequence": 999}, "'999'"), ({"offset": "7"}, "Delete the checkpoint")]
)
def test_a_position_that_is_not_there_is_refused_with_the_reason(program, five, position, named):
    failed = refused(lambda: program.receive("4", 1, **position))

    assert failed.condition == "com.microsoft:argument-error"
    assert named in failed.message


def test_a_reader_from_the_latest_gets_what_is_sent_from_then_on(program, hub, name):
    program.send(b"before", partition="5")
    program.hold("5", latest=True)
    wait_for_readers(hub, name, "5", 1)

    program.send(b"after", partition="5")

    deadline = time.monotonic() + 20
    while not (events := program.ask("held")["events"]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert bodies(events) == [b"after"]


def test_a_higher_owner_level_takes_over_and_the_loser_is_told(program, hub, name):
    program.send(b"a", partition="0")
    wait_for_readers(hub, name, "0", 0)
    program.hold("0", group="audit", owner_level=1, earliest=True)
    wait_for_readers(hub, name, "0", 1)

    events = program.receive("0", 1, group="audit", owner_level=2, earliest=True)

    failed = _end_of_held(program)
    assert events
    assert failed.condition == "amqp:link:stolen"
    assert "New receiver with owner level 2" in failed.message


def _end_of_held(program):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            program.ask("held")
        except Failed as failed:
            return failed
        time.sleep(0.02)
    raise AssertionError("the reader was not told of its end")


@pytest.mark.parametrize(
    ("partition", "level", "named"), [("1", 3, "a higher level than 3"), ("2", None, "owned with level 5")]
)
def test_a_lower_owner_level_or_none_is_refused_with_the_reason(program, hub, name, partition, level, named):
    wait_for_readers(hub, name, partition, 0)
    program.hold(partition, group="audit", owner_level=5, earliest=True)
    wait_for_readers(hub, name, partition, 1)

    failed = refused(lambda: program.receive(partition, 1, group="audit", owner_level=level, earliest=True))

    assert failed.condition == "amqp:link:stolen"
    assert named in failed.message
