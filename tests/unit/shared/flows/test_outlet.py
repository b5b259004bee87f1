import asyncio
from contextlib import asynccontextmanager

import pytest

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.domain.windows.plan import StreamPlan
from shared.errors import FeedUnusable, SendFailed
from shared.feeds.slicing import StreamCounts
from shared.flows.outlet import connected_outlets, deliver
from tests.unit.shared.flows.drawn_fakes import numbers

STREAMS = tuple(StreamPlan(name, name, f"{name}/1", "row", "identity", 0) for name in ("views", "stars"))


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
    async def connect(self, stream, attempt_id):
        self.open.append(stream.name)
        async with self.hubs.sender(stream.hub) as sender:
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
