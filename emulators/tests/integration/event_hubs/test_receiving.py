"""The unmodified client receives: from every position, by group and owner level, and after a lost connection."""

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient as AioConsumer

from tests.integration.event_hubs.conftest import listening, outcome, receive, refusal, serving_hub

FROM_START = {"partition_id": "0", "starting_position": "-1"}
BODIES = [f"event {number}" for number in range(6)]


@pytest.fixture(scope="module")
def six(hub):
    """Six events in hub `positions`, 20 ms or more apart by the hub's clock; returns them as received."""
    found, done = [], threading.Event()
    with hub.plain_producer("positions") as producer:
        for body in BODIES:
            producer.send_batch([EventData(body)], timeout=5)
            threading.Event().wait(0.02)
    consumer = hub.consumer("positions")

    def keep(_, event):
        found.append(event)
        if len(found) == len(BODIES):
            done.set()

    thread = threading.Thread(target=consumer.receive, args=(keep,), kwargs={"starting_position": "-1"})
    thread.start()
    assert done.wait(10)
    consumer.close()
    thread.join(5)
    return found


def bodies(events):
    return [event.body_as_str() for event in events]


def test_the_sync_client_reads_everything_from_the_start(six):
    assert bodies(six) == BODIES
    assert [event.sequence_number for event in six] == list(range(6))
    assert all(isinstance(event.offset, str) for event in six)


POSITIONS = {
    "the start": (lambda six: "-1", False, 0),
    "after a sequence number": (lambda six: six[2].sequence_number, False, 3),
    "at a sequence number": (lambda six: six[2].sequence_number, True, 2),
    "after an offset": (lambda six: six[3].offset, False, 4),
    "at an offset": (lambda six: six[3].offset, True, 3),
    "after a time": (lambda six: six[1].enqueued_time, False, 2),
    "at a time": (lambda six: six[1].enqueued_time, True, 1),
    "before all times": (lambda six: six[0].enqueued_time - timedelta(days=1), False, 0),
}


@pytest.fixture(scope="module")
def read_from(hub, six):
    """What a consumer gets from each of POSITIONS, all read at once (four consumers a group: five are allowed)."""

    async def read(number, position, inclusive, first):
        return await receive(
            hub.plain_consumer("positions", kind=AioConsumer, group=("$Default", "audit")[number % 2]),
            len(BODIES) - first,
            partition_id="0",
            starting_position=position(six),
            starting_position_inclusive=inclusive,
        )

    async def read_all():
        return await asyncio.gather(*(read(number, *where) for number, where in enumerate(POSITIONS.values())))

    return dict(zip(POSITIONS, asyncio.run(read_all()), strict=True))


@pytest.mark.parametrize("position", POSITIONS)
def test_reading_starts_at_every_kind_of_position(read_from, position):
    first = POSITIONS[position][2]

    assert bodies(read_from[position]) == BODIES[first:]


async def test_from_latest_only_new_events_are_pushed(hub):
    async with listening(hub.aio_consumer("live"), partition_id="0", starting_position="@latest") as heard:
        async with hub.aio_producer("live") as producer:
            sent = []
            while not heard.events:
                sent.append(f"live {len(sent)}")
                await asyncio.wait_for(producer.send_batch([EventData(sent[-1])]), 5)
                with suppress(TimeoutError):
                    await heard.wait_for(lambda: heard.events, seconds=0.1)
        await heard.wait_for(lambda: bodies(heard.events)[-1] == sent[-1])

    assert bodies(heard.events) == sent[-len(heard.events) :]


async def test_a_checkpoint_of_an_earlier_epoch_is_refused_by_name(hub, six, tmp_path):
    async with serving_hub(tmp_path, {"positions": 1}) as later:
        error = await refusal(later.aio_consumer("positions"), partition_id="0", starting_position=six[0].offset)
        now = (await asyncio.to_thread(later.partition, "positions"))["epoch"]

    assert all(str(epoch) in str(error) for epoch in (hub.partition("positions")["epoch"], now))
    assert "Delete the checkpoint" in str(error)


async def test_a_named_group_reads_by_itself(hub, six):
    audit = hub.plain_consumer("positions", kind=AioConsumer, group="audit")

    assert bodies(await receive(audit, 6, **FROM_START)) == BODIES


@pytest.fixture(scope="module")
def turned_away(hub, six):
    """What consumers hear that ask for what is not there, all tried at once."""

    async def try_all():
        beyond, unknown = (
            hub.aio_consumer("positions"),
            hub.plain_consumer("positions", kind=AioConsumer, group="nobody"),
        )
        offset = str(int(six[-1].offset) + 10)
        return await asyncio.gather(
            refusal(beyond, partition_id="0", starting_position=offset),
            refusal(unknown, **FROM_START),
            outcome(asyncio.to_thread(hub.plain_consumer("nowhere").get_eventhub_properties)),
        )

    return [str(error) for error in asyncio.run(try_all())]


def test_an_offset_the_hub_never_gave_is_refused(turned_away, six):
    assert "is invalid" in turned_away[0]
    assert six[-1].offset in turned_away[0]


def test_an_unknown_group_is_refused_by_name(turned_away):
    assert "consumer group 'nobody' of hub 'positions' could not be found" in turned_away[1]


def test_the_sync_client_hears_of_an_unknown_hub(turned_away):
    assert "'nowhere' could not be found" in turned_away[2]


async def test_a_higher_owner_level_steals_the_partition_and_a_lower_one_is_refused(hub):
    first, second, third = (hub.aio_consumer("owned") for _ in range(3))
    with hub.plain_producer("owned") as producer:
        producer.send_event(EventData("mine"), timeout=5)

    async with listening(first, **FROM_START, owner_level=1) as loser:
        await loser.wait_for(lambda: loser.events)
        async with listening(second, **FROM_START, owner_level=2) as winner:
            await winner.wait_for(lambda: winner.events)
            await loser.wait_for(lambda: loser.errors)
            refused = await refusal(third, **FROM_START, owner_level=0)

    assert "owner level 2" in str(loser.errors[0])
    assert "higher level than 0" in str(refused)


async def test_a_sixth_receiver_without_an_owner_level_is_refused(hub):
    turned_away, errors = asyncio.Event(), []

    async def stay_until_one_is_turned_away():
        async with listening(hub.aio_consumer("crowded"), **FROM_START) as heard:
            waits = (heard.wait_for(lambda: heard.errors), turned_away.wait())
            await asyncio.wait(map(asyncio.create_task, waits), return_when=asyncio.FIRST_COMPLETED, timeout=10)
            turned_away.set()
            errors.extend(heard.errors)

    await asyncio.gather(*(stay_until_one_is_turned_away() for _ in range(6)))

    assert len(errors) == 1
    assert "maximum number of allowed receivers" in str(errors[0])


async def test_a_consumer_whose_connection_is_cut_goes_on_without_loss_or_double(hub):
    wanted = [f"line {number}" for number in range(2000)]
    async with hub.aio_producer("cut") as producer, cutting_proxy(hub.addresses["amqp"]) as proxy:
        await asyncio.wait_for(producer.send_batch([EventData(body) for body in wanted[:1000]]), 10)
        text = hub.connection_string("cut").replace(hub.addresses["amqp"].rpartition(":")[2], str(proxy.port))
        consumer = AioConsumer.from_connection_string(text, "$Default", retry_backoff_factor=0.1)
        async with listening(consumer, **FROM_START, prefetch=100) as heard:
            await heard.wait_for(lambda: len(heard.events) >= 300)
            proxy.cut()
            await asyncio.wait_for(producer.send_batch([EventData(body) for body in wanted[1000:]]), 10)
            await heard.wait_for(lambda: len(heard.events) >= 2000)

    assert proxy.connections >= 2
    assert bodies(heard.events) == wanted


class CuttingProxy:
    """Forwards TCP connections until it is asked to cut them."""

    def __init__(self, target):
        self._target = int(target)
        self._writers = []
        self._forwarding = []
        self.connections = 0
        self.port = 0

    def cut(self):
        for writer in self._writers:
            writer.transport.abort()

    async def finish(self):
        self.cut()
        closings = (writer.wait_closed() for writer in self._writers)
        await asyncio.gather(*self._forwarding, *closings, return_exceptions=True)

    async def accept(self, reader, writer):
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, far_writer]
        copies = (self._copy(reader, far_writer), self._copy(far_reader, writer))
        self._forwarding += [asyncio.create_task(copy) for copy in copies]

    async def _copy(self, reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def cutting_proxy(target):
    proxy = CuttingProxy(target.rpartition(":")[2])
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.finish()
