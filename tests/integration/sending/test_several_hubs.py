"""A stream over two real hubs of which one is away: the other takes its blocks, and what was spilled comes later."""

import asyncio
import itertools
from collections import defaultdict
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.spill import QUEUE, blob_spill
from shared.domain.delivery import Event
from shared.domain.windows.plan import StreamPlan
from shared.flows.destinations import DestinationTools, connect
from shared.flows.redrive import redrive
from shared.flows.redriver import RedriveTools
from tests.azurite import running_azurite
from tests.integration.sending.stage import ROOMY, read_back

HUBS = ("trades", "single")
SHORT = RetryPolicy(Timeouts(total=5.0, attempt=4.0, ordinary=Backoff(0.02, 0.3), throttled=Backoff(0.1, 0.5)))
WINDOWS = (f"trades-20261122T14{minute:02d}00Z" for minute in itertools.count())


def now():
    return datetime.now(UTC)


class World:
    """Two hubs of one stream, the spill, and the queue as a host reads it. told: the windows that are drained."""

    def __init__(self, platform, connection):
        access = Account(connection, "", FakeIdentity())
        self.platform, self.spill, self.window = platform, blob_spill(access, access), next(WINDOWS)
        self.queue = QueueClient.from_connection_string(
            connection, QUEUE, message_decode_policy=TextBase64DecodePolicy()
        )
        self.told = []
        self.since = {hub: platform.stored(hub) for hub in HUBS}

    @asynccontextmanager
    async def sender(self):
        stream = StreamPlan("trades", HUBS, "trades/1", "row", "identity", 0)
        tools = DestinationTools(self.platform.hubs(retry=SHORT), None, None, now, self.spill)
        async with connect(stream, f"{self.window}/0.1", tools) as sender:
            yield sender

    async def deliver(self):
        """Hand out the messages that there are, each once."""
        tools = RedriveTools(
            self.spill, self.platform.hubs(retry=ROOMY), now, lambda: 0.001, "pass", drained=self._tell
        )
        for message in self.queue.receive_messages(visibility_timeout=60):
            await redrive(tools, message.content.encode())
            self.queue.delete_message(message)

    async def _tell(self, window_id):
        self.told.append(window_id)

    async def received(self):
        """Give by hub the bodies that each key got, each by its first arrival."""
        found = {}
        for hub in HUBS:
            by_key = defaultdict(list)
            for events in (await read_back(self.platform, hub, self.since[hub])).values():
                for event in events:
                    by_key[event.partition_key.decode()].append(event.body_as_str().encode())
            found[hub] = {key: list(dict.fromkeys(bodies)) for key, bodies in by_key.items()}
        return found


@pytest.fixture
def world(platform, tmp_path):
    with running_azurite(tmp_path) as connection:
        world = World(platform, connection)
        with world.queue:
            yield world


def events(blocks, of_block=5):
    places = range(blocks * of_block)
    return [Event(b"%03d" % n, 1, {"contract": "trades/1"}, f"key-{n % 3}", block=n // of_block) for n in places]


def in_order(sent):
    by_key = defaultdict(list)
    for event in sent:
        by_key[event.partition_key].append(event.body)
    return dict(by_key)


async def test_what_one_hub_of_two_does_not_take_waits_for_it_alone_and_keeps_the_order_of_its_keys(world):
    sent = events(8)
    world.platform.order("faults", kind="reject_busy", hub="single", next=1_000_000)

    async with world.sender() as sender:
        deliveries = [await sender.send(sent[first : first + 10]) for first in range(0, 40, 10)]

    before = await world.received()
    assert [(each.accepted, each.spilled) for each in deliveries] == [(5, 5)] * 4
    assert {batch.hub for batch in world.spill.batches()} == {"single"}
    assert before["single"] == {}
    world.platform.clear()
    async with asyncio.timeout(60):
        while not world.told:
            await world.deliver()
    after = await world.received()
    of_turns = [in_order([event for event in sent if event.block % 2 == turn]) for turn in (0, 1)]
    assert sorted(after.values(), key=str) == sorted(of_turns, key=str)
    assert {batch.state for batch in world.spill.batches()} == {"redriven"}
