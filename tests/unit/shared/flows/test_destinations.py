import pytest

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.sql.fake import FakeRows
from shared.clients.storage.fake import FakeLake
from shared.contracts import load_contract
from shared.domain.delivery import Event
from shared.domain.windows.plan import StreamPlan
from shared.flows.destinations import DestinationTools, connect

LINE = (
    b'{"venue":"kraken","symbol":"BTC/USD","base":"BTC","quote":"USD","trade_id":7,"price":1,"volume":2,'
    b'"direction":"buy","direction_basis":"taker","timestamp":"2026-11-22T12:00:00.000000Z",'
    b'"received_at":"2026-11-22T12:00:00.000000Z","origin":"live"}'
)
EVENT = Event(LINE, 1, {"contract": "trades/1", "slice": "trades-20261122T120000Z/3.1"}, partition_key="BTC/USD")


class World:
    """A hub, a lake and a table, of which a stream meets one."""

    def __init__(self):
        self.hubs, self.lake, self.rows = FakeEventHubs({"market-trades": 4}), FakeLake(), FakeRows(CONTRACT)

    async def send(self, destination):
        stream = StreamPlan("trades", "market-trades", "trades/1", "row", "identity", 0, destination)
        async with connect(stream, DestinationTools(self.hubs, lambda: self.lake, lambda _: self.rows)) as sender:
            return await sender.send([EVENT])


CONTRACT = load_contract("trades/1")


async def test_a_stream_of_a_hub_goes_to_the_hub_of_its_plan():
    world = World()

    delivery = await world.send("hub")

    assert delivery.accepted == 1
    assert [event.body for event in world.hubs.received["market-trades"]] == [LINE]


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
