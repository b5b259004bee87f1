"""What a real hub did not take is redriven from real storage: in order once it is back, by one redriver at a time."""

import asyncio
import itertools
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.spill import QUEUE, blob_spill
from shared.clients.storage.spill_encoding import encode
from shared.domain.delivery import Event
from shared.domain.spill import SpilledBatch, batch_path
from shared.domain.spill_request import SpillRequest
from shared.flows import redriver
from shared.flows.redrive import redrive
from shared.flows.redriver import RedriveTools
from shared.flows.request_spill import SpillRequestTools, request_redrive
from tests.azurite import running_azurite
from tests.integration.sending.stage import ROOMY, read_back

WINDOWS = (f"trades-20261122T13{minute:02d}00Z" for minute in itertools.count())
SHORT = RetryPolicy(Timeouts(total=5.0, attempt=4.0, ordinary=Backoff(0.02, 0.3), throttled=Backoff(0.1, 0.5)))
PROPERTIES = {"contract": "trades/1", "slice": "trades-20261122T130000Z/0.1", "rows": 2}


def now():
    return datetime.now(UTC)


@pytest.fixture
def connection(tmp_path):
    with running_azurite(tmp_path) as connection:
        yield connection


class World:
    """A hub of four partitions, a spill, and the queue as a host reads it. told: the windows that are drained."""

    def __init__(self, platform, connection):
        access = Account(connection, "", FakeIdentity())
        self.platform, self.spill, self.window = platform, blob_spill(access, access), next(WINDOWS)
        self.queue = QueueClient.from_connection_string(
            connection, QUEUE, message_decode_policy=TextBase64DecodePolicy()
        )
        self.told = []
        self.since = platform.stored("trades")

    def tools(self, retry=ROOMY, **changes):
        hubs = self.platform.hubs(retry=retry)
        back = lambda batch, _, on_refusal: hubs.sender(batch.hub, on_refusal)  # noqa: E731
        tools = RedriveTools(self.spill, back, now, lambda: 0.001, "pass", drained=self._tell)
        return replace(tools, **changes)

    async def _tell(self, window_id):
        self.told.append(window_id)

    def keep(self, count):
        """Spill events in batches of 50, as a slice does that found the hub away."""
        events = [Event(b"%04d" % number, 2, PROPERTIES, f"key-{number % 7}") for number in range(count)]
        for number, first in enumerate(range(0, count, 50)):
            (one,) = encode(events[first : first + 50])
            path = batch_path("trades", f"{self.window}/0.1", number)
            batch = SpilledBatch(path, "trades", "trades", one.rows, one.events, one.sha256, now())
            self.spill.keep(batch, one.content)
        return events

    async def deliver(self, seconds=30, **changes):
        """Hand out messages until there is none."""
        async with asyncio.timeout(seconds):
            while self.queue.get_queue_properties().approximate_message_count:
                for message in self.queue.receive_messages(visibility_timeout=30):
                    await redrive(self.tools(**changes), message.content.encode())
                    self.queue.delete_message(message)
                await asyncio.sleep(0.1)

    async def received(self):
        """Give the bodies that each key got, each by its first arrival, and one event's properties."""
        by_key = defaultdict(list)
        properties = {}
        for events in (await read_back(self.platform, "trades", self.since)).values():
            for event in events:
                by_key[event.partition_key.decode()].append(event.body_as_str().encode())
                properties = {name.decode(): value for name, value in event.properties.items()}
        return {key: list(dict.fromkeys(bodies)) for key, bodies in by_key.items()}, properties


def states(world):
    return {batch.state for batch in world.spill.batches()}


@pytest.fixture
def world(platform, connection):
    world = World(platform, connection)
    with world.queue:
        yield world


def in_order(events):
    by_key = defaultdict(list)
    for event in events:
        by_key[event.partition_key].append(event.body)
    return by_key


async def test_what_was_spilled_arrives_whole_and_in_the_order_of_each_key_with_its_properties(world):
    events = world.keep(300)
    assert states(world) == {"waiting"}

    await world.deliver()

    received, properties = await world.received()
    assert received == in_order(events)
    assert properties.keys() == PROPERTIES.keys()
    assert states(world) == {"redriven"}
    assert sum(batch.rows for batch in world.spill.batches()) == 600
    assert set(world.told) == {world.window}


async def test_while_the_hub_is_still_away_it_waits_and_goes_on_when_it_is_back(world, monkeypatch):
    monkeypatch.setattr(redriver, "_SHORTEST_DELAY", 0.1)
    events = world.keep(50)
    world.platform.order("faults", kind="reject_busy", next=10_000)
    (message,) = list(world.queue.receive_messages(max_messages=1, visibility_timeout=30))

    await redrive(world.tools(retry=SHORT), message.content.encode())
    world.queue.delete_message(message)
    assert {(batch.state, batch.tries) for batch in world.spill.batches()} >= {("waiting", 1)}
    assert world.told == []

    world.platform.clear()
    await world.deliver()
    assert (await world.received())[0] == in_order(events)


async def test_killed_between_the_send_and_the_mark_everything_is_there_at_least_once(world):
    events = world.keep(50)
    mark, world.spill.mark = world.spill.mark, killed
    (message, *_) = list(world.queue.receive_messages(visibility_timeout=1))
    with pytest.raises(RuntimeError, match="killed"):
        await redrive(world.tools(), message.content.encode())

    world.spill.mark = mark
    await world.deliver()

    assert (await world.received())[0] == in_order(events)
    assert states(world) == {"redriven"}


def killed(batch):
    raise RuntimeError("killed")


async def test_two_redrivers_at_once_lose_nothing_and_keep_the_order(world):
    events = world.keep(200)
    received = [message.content.encode() for message in world.queue.receive_messages(visibility_timeout=1)]
    assert len(received) >= 1

    await asyncio.gather(*(redrive(world.tools(), text) for text in (received * 2)[:2]))
    assert (await world.received())[0] == in_order(events)
    assert states(world) == {"redriven"}


async def test_a_hub_that_is_gone_makes_it_dead_and_a_person_has_it_sent_when_the_hub_is_back(world):
    events = world.keep(50)
    batches = world.spill.batches()
    for batch in batches:
        world.spill.mark(replace(batch, hub="gone"))

    await world.deliver()
    assert states(world) == {"dead"}
    assert all("gone" in batch.reason for batch in world.spill.batches())

    for batch in world.spill.batches():
        world.spill.mark(replace(batch, hub="trades"))
    tools = SpillRequestTools(world.spill, None, ("trades",), "pass")
    changed = request_redrive(tools, SpillRequest(window_id=world.window, states=("waiting", "dead")))
    assert sum(batch.rows for batch in changed.batches) == 100
    await world.deliver()
    assert (await world.received())[0] == in_order(events)
