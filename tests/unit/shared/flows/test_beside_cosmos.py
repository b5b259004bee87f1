"""A stream with Cosmos DB beside its hub: the hub waits for nobody, and both have everything in the end."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.cosmos.fake import FakeCosmos
from shared.clients.cosmos.items import Items
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake_spill import FakeSpill
from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event
from shared.domain.windows.plan import StreamPlan
from shared.errors import FeedUnusable, SendFailed, Unavailable
from shared.flows.destinations import DestinationTools, connect, connect_again
from shared.flows.redrive import redrive
from shared.flows.redriver import RedriveTools

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = "payments-20261122T120000Z"
CONTAINER = "ingestion/transactions"
PLAN = StreamPlan("transactions", ("transactions",), "transactions/1", "row", "identity", 0, cosmos=CONTAINER)
ALONE = replace(PLAN, hubs=(), destination="cosmos")


def payment(number, country="BR"):
    record = {"transactionID": f"{number:04d}", "ipCountryCode": country}
    properties = {"contract": "transactions/1", "slice": f"{WINDOW}/3.1"}
    return Event(json.dumps(record).encode(), 1, properties, country)


class World:
    """A hub, a container, and what neither takes in time."""

    def __init__(self):
        self.now = NOON
        self.hubs, self.cosmos = FakeEventHubs({"transactions": 4}), FakeCosmos({CONTAINER})
        self.spill = FakeSpill(lambda: self.now)
        self.sinks = {}
        self.tools = DestinationTools(
            self.hubs, None, None, self.container, lambda: self.now, self.spill, drain_seconds=0.01
        )

    def container(self, contract, container, on_refusal):
        return self.cosmos.sender(container, Items.of(contract, timedelta(days=60), "Transaction"), on_refusal)

    def connected(self, plan=PLAN, **changes):
        return connect(plan, f"{WINDOW}/3.1", self.sinks, replace(self.tools, **changes))

    async def redrive(self):
        """Hand out each message of the spill's queue once."""
        back = partial(connect_again, tools=self.tools)
        tools = RedriveTools(self.spill, back, lambda: self.now, lambda: 0.5, "pass", drained=self._tell)
        for message in list(self.spill.queue.messages):
            self.spill.queue.delete(message)
            await redrive(tools, message.text.encode())

    async def _tell(self, window_id):
        pass

    def received(self):
        return [json.loads(event.body)["transactionID"] for event in self.hubs.received["transactions"]]

    def stored(self):
        return sorted(name for _, _, name in self.cosmos.stored)

    def equation(self, sink):
        counts = self.sinks[sink].as_wire()
        return counts["read"], sum(counts[name] for name in ("accepted", "refused", "unknown", "spilled"))


class Silent:
    """A container that answers nothing until it is told to."""

    charge, rest = Charge(), 0.0

    def __init__(self):
        self.answers, self.asked = asyncio.Event(), asyncio.Event()

    async def send(self, events, *, briefly=False):
        self.asked.set()
        await self.answers.wait()
        return Delivery(accepted=len(events), events=len(events))

    @asynccontextmanager
    async def connected(self, *_):
        yield self


async def test_both_get_the_same_events():
    world = World()

    async with world.connected() as sender:
        delivery = await sender.send([payment(1), payment(2, "PT")])

    assert delivery == Delivery(accepted=2, events=2)
    assert (world.received(), world.stored()) == (["0001", "0002"], ["0001", "0002"])


async def test_an_item_says_of_which_window_it_is():
    world = World()

    async with world.connected() as sender:
        await sender.send([payment(1)])

    assert world.cosmos.stored[CONTAINER, "BR", "0001"]["windowId"] == WINDOW


async def test_a_silent_container_holds_up_no_record_of_the_hub_and_gets_its_share_later():
    world, silent = World(), Silent()

    async with asyncio.timeout(5), world.connected(cosmos=silent.connected) as sender:
        for number in range(50):
            await sender.send([payment(number)])
        assert len(world.received()) == 50
        await silent.asked.wait()
    await world.redrive()

    assert world.sinks["hub"].delivery == Delivery(accepted=50, events=50)
    assert world.sinks["cosmos"].delivery == Delivery(spilled=50)
    assert world.stored() == world.received()


async def test_what_waits_for_a_container_is_spilled_where_it_is_too_much():
    world, silent = World(), Silent()

    async with world.connected(cosmos=silent.connected) as sender:
        sender.beside.most = 1_000
        await sender.send([payment(0)])
        await silent.asked.wait()
        for number in range(1, 60):
            await sender.send([payment(number)])
        assert sender.beside.waiting_bytes <= 2_000
        assert sum(batch.rows for batch in world.spill.batches()) >= 15
        silent.answers.set()

    assert world.sinks["cosmos"].delivery.spilled + world.sinks["cosmos"].delivery.accepted == 60


@pytest.mark.parametrize("failure", ["unavailable", "throttled", "unauthorized", "halfway", "unknown"])
async def test_what_a_container_does_not_take_is_spilled_and_redriven_and_is_there_once(failure):
    world = World()
    world.cosmos.fail_next(failure)

    async with world.connected() as sender:
        delivery = await sender.send([payment(number) for number in range(4)])
    batches = world.spill.batches()
    await world.redrive()

    assert delivery == Delivery(accepted=4, events=4)
    assert [batch.path for batch in batches] == [f"transactions.cosmos/{WINDOW}/0003.1/000000.ndjson.zst"]
    assert [(batch.hub, batch.sink) for batch in batches] == [(CONTAINER, "cosmos")]
    assert world.spill.batches()[0].state == "redriven"
    assert world.stored() == world.received() == ["0000", "0001", "0002", "0003"]


async def test_half_of_the_partition_keys_are_refused_and_the_other_half_goes_on():
    world = World()
    world.cosmos.away = frozenset({"PT"})

    async with world.connected() as sender:
        for number in range(6):
            await sender.send([payment(number, "PT" if number % 2 else "BR")])
    before = world.stored()
    world.cosmos.away = frozenset()
    await world.redrive()

    assert before == ["0000", "0002", "0004"]
    assert world.sinks["cosmos"].as_wire()["spilled"] == 3
    assert world.stored() == world.received()


async def test_a_container_that_is_not_there_costs_the_hub_nothing_and_its_share_is_dead():
    world = World()
    world.cosmos.containers = ()

    async with world.connected() as sender:
        delivery = await sender.send([payment(1)])
    await world.redrive()

    assert delivery.accepted == 1
    (batch,) = world.spill.batches()
    assert (batch.state, batch.rows) == ("dead", 1)
    assert "404" in batch.reason


async def test_a_share_whose_account_is_not_set_any_more_is_dead_with_that_reason():
    world = World()
    world.cosmos.fail_next("unavailable")
    async with world.connected() as sender:
        await sender.send([payment(1)])

    def unset(*_):
        raise FeedUnusable("COSMOS__accountEndpoint is not set.")

    world.tools = replace(world.tools, cosmos=unset)
    await world.redrive()

    assert (world.spill.batches()[0].state, world.spill.batches()[0].reason) == (
        "dead",
        "COSMOS__accountEndpoint is not set.",
    )


async def test_where_neither_the_container_nor_the_spill_takes_it_the_slice_fails_with_what_the_hub_did():
    world = World()
    world.cosmos.fail_next("unavailable", sends=9)
    world.spill.failure = Unavailable("Storage is away.")

    async def play():
        async with world.connected() as sender:
            for number in range(1_000):
                await sender.send([payment(number)])
                await asyncio.sleep(0.001)

    with pytest.raises(SendFailed, match="Storage is away") as caught:
        await play()

    assert caught.value.delivery == Delivery(accepted=1, events=1)
    assert caught.value.kind.may_pass


async def test_a_hub_that_is_away_costs_the_container_nothing():
    world = World()
    world.hubs.fail_next("unavailable")

    async with world.connected() as sender:
        delivery = await sender.send([payment(1)])

    assert delivery == Delivery(spilled=1)
    assert world.stored() == ["0001"]
    assert [batch.stream for batch in world.spill.batches()] == ["transactions"]


async def test_a_stream_may_go_to_a_container_alone():
    world = World()

    async with world.connected(ALONE) as sender:
        delivery = await sender.send([payment(1)])

    assert delivery == Delivery(accepted=1, events=1)
    assert (list(world.sinks), world.stored(), world.received()) == (["cosmos"], ["0001"], [])


async def test_what_a_container_alone_does_not_take_is_spilled_for_it():
    world = World()
    world.cosmos.fail_next("unavailable")

    async with world.connected(ALONE) as sender:
        delivery = await sender.send([payment(1)])
    await world.redrive()

    assert delivery == Delivery(spilled=1)
    assert world.stored() == ["0001"]


async def test_without_a_spill_a_hub_would_wait_for_its_container_so_that_is_refused():
    world = World()

    with pytest.raises(FeedUnusable, match="SPILL is off"):
        async with world.connected(spill=None):
            pass


passing = st.sampled_from(["unavailable", "throttled", "halfway", "unknown"])


@given(
    st.lists(passing, max_size=6),
    st.lists(passing | st.just("unauthorized"), max_size=6),
    st.lists(st.integers(1, 5), max_size=8),
)
def test_whatever_fails_both_have_every_record_after_the_redrive_and_the_container_once(of_hub, of_cosmos, sizes):
    world = World()
    for failure in of_hub:
        world.hubs.fail_next(failure)
    for failure in of_cosmos:
        world.cosmos.fail_next(failure)

    async def play():
        numbers = iter(range(1_000))
        async with world.connected() as sender:
            for size in sizes:
                events = [payment(next(numbers), ["BR", "PT", "ES"][number % 3]) for number in range(size)]
                for meter in world.sinks.values():
                    meter.take(size, Delivery())
                await sender.send(events)
        for _ in range(20):
            await world.redrive()

    asyncio.run(play())

    names = [f"{number:04d}" for number in range(sum(sizes))]
    assert world.stored() == names
    assert sorted(set(world.received())) == names
    for sink in ("hub", "cosmos"):
        read, found = world.equation(sink)
        assert read == found == len(names)
