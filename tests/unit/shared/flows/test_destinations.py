from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.sql.fake import FakeRows
from shared.clients.storage.fake import FakeLake
from shared.clients.storage.fake_spill import FakeSpill
from shared.clients.storage.spill_encoding import decode
from shared.contracts import load_contract
from shared.domain.delivery import Event
from shared.domain.windows.plan import StreamPlan
from shared.errors import SendFailed
from shared.flows.destinations import DestinationTools, connect

LINE = (
    b'{"venue":"kraken","symbol":"BTC/USD","base":"BTC","quote":"USD","trade_id":7,"price":1,"volume":2,'
    b'"direction":"buy","direction_basis":"taker","timestamp":"2026-11-22T12:00:00.000000Z",'
    b'"received_at":"2026-11-22T12:00:00.000000Z","origin":"live"}'
)
ATTEMPT = "trades-20261122T120000Z/3.1"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVENT = Event(LINE, 1, {"contract": "trades/1", "slice": ATTEMPT}, partition_key="BTC/USD")


class World:
    """A hub, a lake and a table, of which a stream meets one."""

    def __init__(self):
        self.hubs, self.lake, self.rows = FakeEventHubs({"market-trades": 4}), FakeLake(), FakeRows(CONTRACT)
        self.spill = FakeSpill(lambda: NOON)

    async def send(self, destination):
        stream = StreamPlan("trades", ("market-trades",), "trades/1", "row", "identity", 0, destination)
        tools = DestinationTools(self.hubs, lambda: self.lake, lambda _: self.rows, lambda: NOON, self.spill)
        async with connect(stream, ATTEMPT, tools) as sender:
            return await sender.send([EVENT])


CONTRACT = load_contract("trades/1")


async def test_a_stream_of_a_hub_goes_to_the_hub_of_its_plan():
    world = World()

    delivery = await world.send("hub")

    assert delivery.accepted == 1
    assert [event.body for event in world.hubs.received["market-trades"]] == [LINE]


@pytest.mark.parametrize("failure", ["throttled", "unavailable", "unknown"])
async def test_what_a_hub_does_not_take_in_time_is_spilled_for_the_attempt(failure):
    world = World()
    world.hubs.fail_next(failure)

    delivery = await world.send("hub")

    (batch,) = world.spill.batches()
    assert (delivery.spilled, delivery.unknown) == (1, 0)
    assert (batch.path, batch.feed) == ("trades/trades-20261122T120000Z/0003.1/000000.ndjson.zst", "trades")
    assert (batch.hub, batch.rows, batch.events, batch.spilled_at) == ("market-trades", 1, 1, NOON)
    assert decode(batch, world.spill.read(batch.path)) == [EVENT]


async def spread(world, events):
    stream = StreamPlan("trades", ("a", "b", "c"), "trades/1", "row", "identity", 0)
    tools = DestinationTools(world.hubs, lambda: world.lake, lambda _: world.rows, lambda: NOON, world.spill)
    async with connect(stream, ATTEMPT, tools) as sender:
        return await sender.send(events)


def in_blocks(count):
    return [replace(EVENT, body=b"%d" % number, block=number) for number in range(count)]


async def test_a_stream_of_several_hubs_is_spread_over_them():
    world = World()
    world.hubs.hubs = dict.fromkeys("abc", 4)

    delivery = await spread(world, in_blocks(6))

    assert delivery.accepted == 6
    assert sorted(len(world.hubs.received[hub]) for hub in "abc") == [2, 2, 2]


async def test_what_one_hub_of_several_does_not_take_is_spilled_for_it_alone():
    world = World()
    world.hubs.hubs, world.hubs.away = dict.fromkeys("abc", 4), {"a", "c"}

    delivery = await spread(world, in_blocks(6))

    batches = world.spill.batches()
    assert (delivery.accepted, delivery.spilled) == (2, 4)
    assert [batch.path.rpartition("/")[2] for batch in batches] == ["000000.ndjson.zst", "000001.ndjson.zst"]
    assert sorted(batch.hub for batch in batches) == ["a", "c"]
    kept = [event.body for batch in batches for event in decode(batch, world.spill.read(batch.path))]
    sent = [event.body for hub in "abc" for event in world.hubs.received[hub]]
    assert sorted(kept + sent) == [event.body for event in in_blocks(6)]


async def test_two_hubs_that_did_not_take_the_same_events_have_a_batch_each():
    world = World()
    world.hubs.hubs, world.hubs.away = dict.fromkeys("abc", 4), set("abc")

    await spread(world, [replace(EVENT, block=number) for number in range(3)])

    assert sorted(batch.hub for batch in world.spill.batches()) == ["a", "b", "c"]


async def test_without_a_spill_a_hub_that_is_away_is_a_failed_send():
    world = World()
    world.spill = None
    world.hubs.fail_next("unavailable")

    with pytest.raises(SendFailed):
        await world.send("hub")


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
async def test_a_stream_of_the_lake_becomes_a_file_of_its_form(form):
    world = World()

    delivery = await world.send(f"lake_{form}")

    assert delivery.accepted == 1
    assert list(world.lake.files) == [f"landing/trades/window=trades-20261122T120000Z/slice=0003/0000.{form}"]


async def test_a_stream_of_a_table_becomes_its_rows():
    world = World()

    delivery = await world.send("sql")

    assert delivery.accepted == 1
    assert len(world.rows.stored) == 1
