import asyncio
from contextlib import asynccontextmanager

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.domain.delivery import Delivery, Refusal
from shared.domain.spreading import BLOCK
from shared.domain.windows.plan import StreamPlan
from shared.errors import FeedUnusable, SendFailed
from shared.feeds.records import Records
from shared.feeds.slicing import StreamCounts
from shared.flows.outlet import Outlet, connected_outlets, deliver
from tests.unit.shared.flows.drawn_fakes import numbers

STREAMS = tuple(StreamPlan(name, (name,), f"{name}/1", "row", "identity", 0) for name in ("views", "stars"))


class Source:
    """Gives its batches, and says whether it was closed."""

    def __init__(self, *batches):
        self.given, self.closed = list(batches), False

    async def batches(self):
        try:
            for batch in self.given:
                yield batch
        finally:
            self.closed = True

    def report(self):
        return {}


class World:
    def __init__(self):
        self.hubs = FakeEventHubs({"views": 4, "stars": 4})
        self.counts = {stream.name: StreamCounts() for stream in STREAMS}
        self.open = []

    @asynccontextmanager
    async def connect(self, stream, attempt_id, sinks):
        self.open.append(stream.name)
        async with self.hubs.sender(stream.hubs[0]) as sender:
            yield sender
        self.open.remove(stream.name)

    async def deliver(self, source):
        async with connected_outlets(STREAMS, self.connect, "w/0.1", self.counts) as outlets:
            await deliver(source, outlets)

    def bodies(self, hub):
        return [int(event.body) for event in self.hubs.received[hub]]


async def test_each_stream_of_a_batch_goes_its_own_way_and_is_counted_there():
    world = World()

    await world.deliver(Source({"views": numbers(range(3)), "stars": numbers([7])}, {"views": numbers([3])}))

    assert (world.bodies("views"), world.bodies("stars")) == ([0, 1, 2, 3], [7])
    assert {name: (each.read, each.delivery.accepted) for name, each in world.counts.items()} == {
        "views": (4, 4),
        "stars": (1, 1),
    }
    assert world.open == []


async def test_every_event_says_which_attempt_sent_it():
    world = World()

    await world.deliver(Source({"stars": numbers([1])}))

    assert world.hubs.received["stars"][0].properties == {"contract": "stars/1", "slice": "w/0.1"}


def sent_in(sizes, packing="row", keys=3, refused=0):
    """What the hubs are given of one slice whose records come in lots of these sizes: (body, block, key).

    refused: so many lines beside each lot are refused by the source.
    """

    class Keeping:
        def __init__(self):
            self.events = []

        async def send(self, events):
            self.events += events
            return Delivery(sum(event.rows for event in events), events=len(events))

    stream = StreamPlan("views", ("a", "b"), "views/1", packing, "identity", 2 if packing == "pack" else 0)
    kept, counts, first = Keeping(), StreamCounts(), 0
    for size in sizes:
        given = range(first, first + size)
        lines = pa.array([b"%d\n" % number for number in given], pa.binary())
        of_each = pa.array([f"k{number % keys}" for number in given], pa.string()).dictionary_encode()
        records = Records(lines, of_each, (Refusal(refused, "it has 27 fields, not 28"),) if refused else ())
        asyncio.run(Outlet(stream, "w/0.1", kept, counts).send(records))
        first += size
    assert (counts.read - refused * len(sizes), counts.delivery.accepted) == (first, first)
    return [
        (int(line), event.block, event.partition_key or event.partition_id)
        for event in kept.events
        for line in event.body.splitlines()
    ]


lots = st.lists(st.integers(1, 2 * BLOCK), min_size=1, max_size=4)


@settings(max_examples=20, deadline=None)
@given(
    sizes=lots,
    packing=st.sampled_from(["row", "pack"]),
    keys=st.sampled_from([1, 3, 3 * BLOCK]),
    refused=st.sampled_from([0, 7]),
)
def test_records_of_a_stream_with_several_hubs_have_their_blocks_however_they_came(sizes, packing, keys, refused):
    sent = sent_in(sizes, packing, keys, refused)

    assert {number: block for number, block, _ in sent} == {place: place // BLOCK for place in range(sum(sizes))}
    assert len(sent) == sum(sizes)


@settings(max_examples=20, deadline=None)
@given(sizes=lots, packing=st.sampled_from(["row", "pack"]))
def test_events_of_a_key_are_in_order_in_each_hub_and_a_retry_sends_the_same_there(sizes, packing):
    first, again = sent_in(sizes, packing), sent_in([sum(sizes)], packing)

    for turn in (0, 1):
        for key in {key for _, _, key in first}:
            in_hub = [number for number, block, own in first if block % 2 == turn and own == key]
            assert in_hub == sorted(in_hub)
            assert in_hub == [number for number, block, own in again if block % 2 == turn and own == key]


async def test_a_stream_of_one_hub_is_left_in_the_batches_in_which_it_came():
    world = World()

    await world.deliver(Source({"views": numbers(range(BLOCK + 1))}))

    assert len(world.hubs.brief) == 1
    assert {event.block for event in world.hubs.received["views"]} == {0}


async def test_a_hub_that_fails_is_counted_before_the_error_and_the_source_is_closed():
    world, source = World(), Source({"views": numbers(range(2))}, {"views": numbers(range(2))})
    world.hubs.fail_next("unknown")

    with pytest.raises(SendFailed):
        await world.deliver(source)

    assert (world.counts["views"].read, world.counts["views"].delivery.unknown) == (2, 2)
    assert source.closed


async def test_records_of_a_stream_that_the_plan_has_not_are_an_error_that_names_it():
    with pytest.raises(FeedUnusable, match="stream 'carts'; its plan has views, stars"):
        await World().deliver(Source({"carts": numbers([1])}))


async def test_a_cancelled_delivery_closes_its_source_and_its_connections():
    asked_again = asyncio.Event()

    class Endless(Source):
        async def batches(self):
            try:
                yield {"views": numbers([1])}
                asked_again.set()
                await asyncio.Event().wait()
            finally:
                self.closed = True

    world, source = World(), Endless()
    task = asyncio.create_task(world.deliver(source))
    await asked_again.wait()

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert source.closed
