"""A redriver keeps its lock however long a read or a send takes, and gives up where it lost it."""

import asyncio
import contextlib

import pytest

from shared.errors import Unavailable
from shared.flows import redriver
from shared.flows.redrive import redrive
from tests.unit.shared.flows.spill_fakes import MINUTE, SpillWorld, events


class SlowHub:
    """A hub whose send takes until `go` is set. begun: is set when it begins; ended: how it ended."""

    def __init__(self):
        self.begun, self.go, self.ended = asyncio.Event(), asyncio.Event(), []

    @contextlib.asynccontextmanager
    async def sender(self, hub, on_refusal=None):
        yield self

    async def send(self, events):
        self.begun.set()
        try:
            await self.go.wait()
            self.ended.append("sent")
        except asyncio.CancelledError:
            self.ended.append("given up")
            raise


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(redriver, "RENEW_SECONDS", 0.001)
    world = SpillWorld()
    world.hubs = SlowHub()
    world.keep(0, events("a"))
    return world


def begin(world):
    return asyncio.create_task(redrive(world.tools, world.spill.queue.messages[0].text.encode()))


class Renewals:
    """Watches a lock. renewed: is set at each renewal."""

    def __init__(self, lock):
        self.lock, self.renewed, self.loop = lock, asyncio.Event(), asyncio.get_running_loop()

    def renew(self):
        self.lock.renew()
        self.loop.call_soon_threadsafe(self.renewed.set)

    async def come(self):
        """Wait for a renewal that began after now: the first may have begun before."""
        for _ in range(2):
            self.renewed.clear()
            async with asyncio.timeout(5):
                await self.renewed.wait()


def watch(world):
    """Watch the locks of a world's spill; gives them as they are taken, and the way to take one unwatched."""
    lock, taken = world.spill.lock, []

    @contextlib.contextmanager
    def watched(stream):
        with lock(stream) as own:
            taken.append(Renewals(own))
            yield taken[-1]

    world.spill.lock = watched
    return taken, lock


async def test_the_lock_is_renewed_while_a_send_takes_longer_than_the_lock_lasts(world):
    taken, lock = watch(world)
    task = begin(world)
    await world.hubs.begun.wait()

    for _ in range(5):
        world.now += MINUTE / 2
        await taken[0].come()
        with lock("trades") as other:
            assert other is None
    world.hubs.go.set()
    await task

    assert (world.hubs.ended, world.states()) == (["sent"], {"000000": ("redriven", 2)})


async def test_a_send_is_given_up_when_the_lock_was_lost_meanwhile(world):
    task = begin(world)
    await world.hubs.begun.wait()

    lock = world.spill.blobs.blobs["trades/.lock"]
    lock.lease, lock.leased_until = "another", world.now + MINUTE
    with pytest.raises(Unavailable, match="lost to another"):
        await task

    assert (world.hubs.ended, world.states()) == (["given up"], {"000000": ("waiting", 2)})


async def test_only_dead_batches_before_what_is_sent_are_read_and_the_lock_is_kept_meanwhile():
    world = SpillWorld("wait")
    for number in (0, 1, 5):
        world.keep(number, events("dead", key=f"{number}"), state="dead")
    world.keep(3, events("a"))
    world.spill.queue.messages = world.spill.queue.messages[-1:]
    asked, read = [], world.spill.read

    def reading(path):
        asked.append(path.rpartition("/")[2][:6])
        return read(path)

    world.spill.read = reading
    await world.deliver()

    assert (asked, world.sent()) == (["000003", "000000", "000001"], ["a"])
