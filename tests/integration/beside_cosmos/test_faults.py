"""A local hub with a local Cosmos DB beside it that is away, throttles or refuses half of the partition keys."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

import pytest

from shared.clients.cosmos.containers import Items
from shared.clients.storage.fake_spill import FakeSpill
from shared.domain.delivery import Delivery, Event
from shared.domain.windows.plan import StreamPlan
from shared.flows.destinations import DestinationTools, connect, connect_again
from shared.flows.redrive import redrive
from shared.flows.redriver import RedriveTools
from tests.integration.cosmos.stage import CONTAINER
from tests.integration.cosmos.stage import QUICK as QUICK_COSMOS
from tests.integration.sending.stage import ROOMY, read_back

BESIDE = StreamPlan("transactions", ("transactions",), "transactions/1", "row", "identity", 0, cosmos=CONTAINER)
HUB_ALONE = replace(BESIDE, cosmos="")
SENDS, LOT = 60, 10
SHORT_OF_COSMOS = 1.0
"""Seconds: less than a send to a container may take (2.5 s) before it is given up."""


class World:
    """One try at a slice, whose spill is in memory."""

    def __init__(self, both, run):
        self.both, self.window = both, f"payments-20261122T12{run:02d}00Z"
        self.spill = FakeSpill(lambda: datetime.now(UTC))
        self.since = both.hub.stored("transactions")
        self.sinks = {}
        self.tools = DestinationTools(
            both.hub.hubs(retry=ROOMY), None, None, self.container, lambda: datetime.now(UTC), self.spill,
            drain_seconds=0.5,
        )  # fmt: skip

    def container(self, contract, container, on_refusal):
        items = Items.of(contract, timedelta(days=60), "Transaction")
        return self.both.cosmos.cosmos(retry=QUICK_COSMOS).sender(container, items, on_refusal)

    def events(self, number):
        properties = {"contract": "transactions/1", "slice": f"{self.window}/0.1"}
        for row in range(number * LOT, (number + 1) * LOT):
            record = {"transactionID": f"{self.window}-{row:05d}", "ipCountryCode": f"C{row % 12}"}
            yield Event(json.dumps(record).encode(), 1, properties, record["ipCountryCode"])

    async def play(self, plan, order=lambda: None):
        """Send everything, with a fault from the tenth send on; gives the seconds that each send took from then on."""
        took = []
        async with connect(plan, f"{self.window}/0.1", self.sinks, self.tools) as sender:
            for number in range(SENDS):
                if number == 10:
                    await asyncio.to_thread(order)
                events = list(self.events(number))
                for meter in self.sinks.values():
                    meter.take(len(events), Delivery())
                began = time.perf_counter()
                await sender.send(events)
                took.append(time.perf_counter() - began)
                await asyncio.sleep(0.02)
        return took[10:]

    async def redrive(self):
        back = partial(connect_again, tools=self.tools)
        tools = RedriveTools(self.spill, back, lambda: datetime.now(UTC), lambda: 0.001, "pass", drained=self._tell)
        for message in list(self.spill.queue.messages):
            self.spill.queue.delete(message)
            await redrive(tools, message.text.encode())

    async def _tell(self, window_id):
        pass

    async def received(self):
        found = await read_back(self.both.hub, "transactions", self.since)
        bodies = [json.loads(event.body_as_str())["transactionID"] for events in found.values() for event in events]
        return sorted(bodies)

    def stored(self):
        return sorted(name for _, name in self.both.cosmos.stored() if name.startswith(self.window))

    def expected(self):
        return [f"{self.window}-{row:05d}" for row in range(SENDS * LOT)]

    def sum_of(self, sink):
        counts = self.sinks[sink].as_wire()
        return sum(counts[name] for name in ("accepted", "refused", "unknown", "spilled"))


FAULTS = {
    "away": {"kind": "away", "seconds": 600},
    "silent": {"kind": "slow", "seconds": 600, "delay": 30},
    "throttled": {"kind": "too_many_requests", "seconds": 600, "retry_after_ms": 200},
    "half": {"kind": "unavailable", "seconds": 600, "share": 0.5},
}


@pytest.mark.parametrize(("run", "fault"), list(enumerate(FAULTS)))
async def test_a_container_in_trouble_holds_up_no_record_of_the_hub_and_has_all_of_them_once_later(both, run, fault):
    world = World(both, run)
    alone = await World(both, run + 20).play(HUB_ALONE)
    world.since = both.hub.stored("transactions")

    took = await world.play(BESIDE, partial(both.cosmos.order, "faults", **FAULTS[fault]))
    both.cosmos.calm()
    before = world.stored()
    await world.redrive()

    print(
        f"{fault}: a send to the hub took {median(took):.4f} s, at most {max(took):.3f} s; alone {median(alone):.4f} s"
    )
    assert world.sinks["hub"].delivery == Delivery(accepted=SENDS * LOT, events=SENDS * LOT)
    assert world.sinks["cosmos"].delivery.spilled > 0
    assert world.sum_of("cosmos") == SENDS * LOT
    assert len(before) < SENDS * LOT
    assert world.stored() == world.expected() == await world.received()
    assert max(took) < SHORT_OF_COSMOS
    assert median(took) < 3 * median(alone) + 0.02


async def test_a_container_that_throttles_for_a_while_gets_everything_without_a_spill(both):
    world = World(both, 40)

    await world.play(
        BESIDE, partial(both.cosmos.order, "faults", kind="too_many_requests", seconds=0.4, retry_after_ms=50)
    )

    assert world.sinks["cosmos"].delivery == Delivery(accepted=SENDS * LOT, events=SENDS * LOT)
    assert world.sinks["cosmos"].charge.throttled > 0
    assert world.spill.batches() == []
    assert world.stored() == world.expected()
