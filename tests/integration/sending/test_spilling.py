"""A hub that is away, a real one, and storage that keeps what it does not take: nothing lost, and nobody waits long."""

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.spilling import spilling
from shared.clients.storage.account import Account
from shared.clients.storage.spill import blob_spill
from shared.clients.storage.spill_encoding import decode
from shared.domain.delivery import Delivery, Event
from shared.errors import SendFailed
from tests.azurite import running_azurite
from tests.integration.jobs_client.peer import running_peer
from tests.integration.sending.stage import QUICK, QUICK_BREAKER, listener, read_back

LATENESS, SPILLED_WITHIN = 0.5, 1.0
WINDOWS = (f"trades-20261122T12{minute:02d}00Z" for minute in range(60))


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


class World:
    """A hub of four partitions, and the spill of one try."""

    def __init__(self, platform, connection, queue=None):
        access = [Account(one, "", FakeIdentity()) for one in (connection, queue or connection)]
        quick = RetryPolicy(Timeouts(total=1.0, attempt=0.5, ordinary=Backoff(0.02, 0.1)))
        self.spill = blob_spill(*access, retry=quick if queue else None)
        self.platform, self.window = platform, next(WINDOWS)

    @asynccontextmanager
    async def sender(self, **changes):
        names = {"stream": "trades", "hub": "trades", "attempt_id": f"{self.window}/0.1"}
        hubs = self.platform.hubs(**changes)
        async with (
            hubs.sender("trades", ahead=True) as hub,
            spilling(hub, self.spill, clock=lambda: datetime.now(UTC), **names) as sender,
        ):
            yield sender

    def kept(self):
        batches = self.spill.batches(f"trades/{self.window}/")
        return [event for batch in batches for event in decode(batch, self.spill.read(batch.path))]


@pytest.fixture
def world(platform, connection):
    return World(platform, connection)


def numbered(first, count):
    return [Event(b"%06d" % n, 1, {"contract": "t/1", "rows": 1}, f"key-{n % 3}") for n in range(first, first + count)]


async def bodies(platform, since):
    found = await read_back(platform, "trades", since)
    return Counter(event.body_as_str().encode() for events in found.values() for event in events)


async def timed(sender, events):
    began = time.monotonic()
    delivery = await sender.send(events)
    return delivery, time.monotonic() - began


async def test_a_stalled_hub_costs_the_deadline_once_and_its_events_are_kept_soon_after(world):
    async with world.sender() as sender:
        await sender.send(numbered(0, 3))
        world.platform.order("faults", kind="stall", next=1_000, stored=True)

        delivery, seconds = await timed(sender, numbered(3, 9))

    assert delivery == Delivery(spilled=9)
    assert seconds <= QUICK.timeouts.total + LATENESS + SPILLED_WITHIN
    assert world.kept() == numbered(3, 9)


async def test_after_the_first_batch_a_hub_that_can_not_be_reached_costs_nobody_its_deadline(world):
    elsewhere = world.platform.connection
    async with listener() as silent, world.sender(connection=elsewhere(custom_endpoint=silent)) as sender:
        first, _ = await timed(sender, numbered(0, 3))
        further = [await timed(sender, numbered(3 * n, 3)) for n in range(1, 20)]

    at_once = sorted(seconds for _, seconds in further)[: len(further) // 2]
    assert [each.spilled for each, _ in [(first, 0), *further]] == [3] * 20
    assert max(seconds for _, seconds in further) <= QUICK.timeouts.attempt + LATENESS + SPILLED_WITHIN
    assert max(at_once) < QUICK.timeouts.attempt / 2
    assert world.kept() == numbered(0, 60)


async def test_a_hub_that_is_back_gets_the_next_events_again_and_nothing_is_lost_in_between(world):
    since, count = world.platform.stored("trades"), 40
    world.platform.order("faults", kind="reject_busy", next=1_000)
    deliveries = []
    async with world.sender() as sender:
        for number in range(count):
            if number == count // 2:
                world.platform.clear()
            deliveries.append(await sender.send(numbered(10 * number, 10)))
            if number >= count // 2 and deliveries[-1].accepted < 10:
                await asyncio.sleep(QUICK_BREAKER.rest / 4)

    taken = await bodies(world.platform, since)
    kept = Counter(event.body for event in world.kept())
    assert [sum((each.accepted, each.spilled)) for each in deliveries] == [10] * count
    assert deliveries[0].spilled == 10
    assert deliveries[-1].accepted == 10
    assert set(taken) | set(kept) == {event.body for event in numbered(0, 10 * count)}
    assert kept.total() == sum(each.spilled for each in deliveries)


async def test_where_the_queue_is_away_too_the_send_fails_and_names_both(platform, connection):
    with running_peer() as peer:
        gone = peer.url
    parts = dict(part.split("=", 1) for part in connection.rstrip(";").split(";")) | {"QueueEndpoint": f"{gone}/acc"}
    world = World(platform, connection, ";".join(f"{name}={value}" for name, value in parts.items()))
    platform.order("faults", kind="reject_busy", next=1_000)

    async with world.sender() as sender:
        with pytest.raises(
            SendFailed, match=r"not delivered.*spilled either: The queue spill can't be reached"
        ) as caught:
            await sender.send(numbered(0, 5))

    assert caught.value.unsettled == numbered(0, 5)
    assert world.kept() == []
