"""The unmodified client sends: by key, by partition, in turn, one or many, up to the limit and over it."""

import asyncio
import contextlib
import uuid

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient as AioProducer
from azure.eventhub.amqp import AmqpAnnotatedMessage, AmqpMessageHeader, AmqpMessageProperties
from azure.eventhub.exceptions import ConnectError, EventDataSendError, EventHubError

from tests.integration.event_hubs.conftest import grown, outcome, receive, refusal, send


def texts(count):
    return [EventData(f"event {number}") for number in range(count)]


async def test_events_with_a_key_go_to_one_partition_whichever_client_sends(hub):
    growth = grown(hub, "trades")

    await send(hub.aio_producer("trades"), texts(3), partition_key="BTC")
    with hub.plain_producer("trades") as producer:
        producer.send_batch(texts(2), partition_key="BTC", timeout=5)

    assert sorted(growth()) == [0, 0, 0, 5]


async def test_events_for_a_partition_go_there(hub):
    growth = grown(hub, "trades")

    with hub.producer("trades") as producer:
        producer.send_batch(texts(3), partition_id="3", timeout=5)

    assert growth() == [0, 0, 0, 3]


async def test_batches_without_key_or_partition_take_turns(hub):
    growth = grown(hub, "trades")

    with hub.plain_producer("trades") as producer:
        for _ in range(4):
            producer.send_batch(texts(1), timeout=5)

    assert growth() == [1, 1, 1, 1]


async def test_a_single_event_is_one_event(hub):
    growth = grown(hub, "single")

    async with hub.plain_producer("single", kind=AioProducer) as producer:
        await asyncio.wait_for(producer.send_event(EventData("one")), 5)

    assert growth() == [1]


async def test_a_full_batch_of_a_mebibyte_is_split_into_all_its_events(hub):
    growth = grown(hub, "single")

    async with hub.aio_producer("single") as producer:
        batch = await producer.create_batch()
        _fill(batch)
        await asyncio.wait_for(producer.send_batch(batch), 10)

    assert batch.size_in_bytes > 1_040_000
    assert growth() == [len(batch)]


def _fill(batch):
    with contextlib.suppress(ValueError):
        while True:
            batch.add(EventData(b"x" * 2000))


async def test_bodies_and_properties_come_back_as_they_were_sent(hub):
    message_id, names = (
        uuid.uuid4(),
        {"text": "zwölf", "whole": 2**31 - 1, "real": 1.5, "yes": True, "raw": b"\x00\xff"},
    )
    event = AmqpAnnotatedMessage(
        data_body=b"\x00\x01\xfe body",
        header=AmqpMessageHeader(durable=True, priority=7),
        properties=AmqpMessageProperties(message_id=str(message_id), content_type="application/x-ndjson", subject="s"),
        application_properties=dict(names),
        annotations={"x-own": "kept"},
    )
    start = hub.partition("single")["last_sequence_number"]

    sending = send(hub.aio_producer("single"), [event])
    receiving = receive(hub.aio_consumer("single"), 1, partition_id="0", starting_position=start)
    _, (got,) = await asyncio.gather(sending, receiving)

    raw = got.raw_amqp_message
    assert b"".join(got.body) == b"\x00\x01\xfe body"
    assert {name.decode(): _plain(value) for name, value in got.properties.items()} == names
    assert (got.message_id, got.content_type, raw.properties.subject) == (
        str(message_id),
        "application/x-ndjson",
        b"s",
    )
    assert (raw.header.durable, raw.header.priority, raw.annotations[b"x-own"]) == (True, 7, b"kept")


def _plain(value):
    return value.decode() if isinstance(value, bytes) and value != b"\x00\xff" else value


async def test_a_key_comes_back_with_every_event(hub):
    start = hub.partition("single")["last_sequence_number"]

    sending = send(hub.aio_producer("single"), texts(2), partition_key="Zürich")
    receiving = receive(hub.aio_consumer("single"), 2, partition_id="0", starting_position=start)
    _, got = await asyncio.gather(sending, receiving)

    assert [event.partition_key.decode() for event in got] == ["Zürich", "Zürich"]


@pytest.fixture(scope="module")
def refusals(hub):
    """What clients hear that ask for what the hub does not have or take, all tried at once."""

    async def send_large(producer):
        async with producer:
            await producer.send_event(EventData(b"x" * 1_100_000))

    async def send_large_unmeasured(producer):
        producer.send_event = _forgetting_the_limit(producer)
        await send_large(producer)

    async def read_partition(producer):
        async with producer:
            await producer.get_partition_properties("9")

    def send_sync(hub_name, **options):
        with hub.plain_producer(hub_name) as producer:
            producer.send_batch(texts(1), timeout=5, **options)

    async def try_all():
        tries = {
            "large": send_large(hub.aio_producer("single")),
            "large, unmeasured": send_large_unmeasured(hub.aio_producer("single")),
            "unknown hub": send(hub.plain_producer("nowhere", kind=AioProducer), texts(1)),
            "unknown hub, sync": asyncio.to_thread(send_sync, "nowhere"),
            "unknown partition, sync": asyncio.to_thread(send_sync, "trades", partition_id="9"),
            "properties": read_partition(hub.aio_producer("trades")),
        }
        return dict(zip(tries, await asyncio.gather(*map(outcome, tries.values())), strict=True))

    growth = grown(hub, "single")
    return asyncio.run(try_all()) | {"stored": growth()}


def _forgetting_the_limit(producer):
    """The client's own send, on a link that has forgotten the hub's limit."""
    original = producer.send_event

    async def send_event(event):
        await producer.create_batch()
        producer._producers["all-partitions"]._handler._link.remote_max_message_size = 2**30
        await original(event)

    return send_event


def test_an_event_over_the_limit_is_refused_by_the_client_that_asked_the_hub_for_it(refusals):
    assert isinstance(refusals["large"], EventHubError)
    assert "size" in str(refusals["large"])
    assert refusals["stored"] == [0]


def test_a_transfer_over_the_limit_is_refused_by_the_hub_too(refusals):
    assert "exceeds the limit (1048576 bytes)" in str(refusals["large, unmeasured"])
    assert refusals["stored"] == [0]


@pytest.mark.parametrize("client", ["unknown hub", "unknown hub, sync"])
def test_an_unknown_hub_is_refused_by_name(refusals, client):
    assert isinstance(refusals[client], EventHubError)
    assert "'nowhere' could not be found" in str(refusals[client])


def test_a_partition_that_is_not_there_is_known_to_the_client_from_the_hubs_list(refusals):
    assert isinstance(refusals["unknown partition, sync"], ConnectError)
    assert "Invalid partition 9" in str(refusals["unknown partition, sync"])


def test_the_properties_of_a_partition_that_is_not_there_are_refused(refusals):
    assert "'9' of hub 'trades' does not exist" in str(refusals["properties"])


async def test_a_consumer_of_a_partition_that_is_not_there_is_refused_with_those_there_are(hub):
    consumer = hub.aio_consumer("trades")
    consumer.get_partition_ids = _nine

    error = await refusal(consumer, partition_id="9", starting_position="-1")

    assert "'9' is invalid for hub 'trades'. It should be between 0 and 3" in str(error)


async def _nine():
    return ["9"]


async def test_the_properties_of_a_hub_and_a_partition_are_given(hub):
    await send(hub.aio_producer("trades"), texts(1), partition_id="1")
    partition = hub.partition("trades", "1")

    async with hub.aio_producer("trades") as producer:
        reads = (producer.get_eventhub_properties(), producer.get_partition_properties("1"))
        described, found = await asyncio.wait_for(asyncio.gather(*reads), 5)

    assert (described["eventhub_name"], described["partition_ids"]) == ("trades", ["0", "1", "2", "3"])
    assert found["last_enqueued_sequence_number"] == partition["last_sequence_number"]
    assert (found["last_enqueued_offset"], found["is_empty"]) == (partition["last_offset"], False)


async def test_an_empty_partition_says_so(hub):
    with hub.consumer("empty") as consumer:
        found = consumer.get_partition_properties("0")

    assert (found["is_empty"], found["last_enqueued_sequence_number"], found["last_enqueued_offset"]) == (
        True,
        -1,
        "-1",
    )


def test_a_rejected_event_leaves_the_client_usable(hub):
    hub.admin("POST", "/faults", {"kind": "reject_busy", "next": 2})

    with hub.plain_producer("single") as producer:
        with pytest.raises(EventDataSendError):
            producer.send_batch(texts(1), timeout=5)
        producer.send_batch(texts(1), timeout=5)
