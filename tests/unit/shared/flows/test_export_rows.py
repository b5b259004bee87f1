"""Rows of SQL tables into the lake: nothing lost and nothing that would not be one again by its key."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.clients.sql.fake import FakeChangedRows, FakeRows
from shared.clients.storage.export_progress import TableExportProgress
from shared.clients.storage.exported_files import ExportedFiles
from shared.clients.storage.fake import FakeReference, FakeTables
from shared.contracts import load_contract
from shared.domain.delivery import Event
from shared.domain.exports import Exported
from shared.errors import Unavailable
from shared.flows import export_rows as flow
from shared.flows.export_rows import TIME, ExportTools, export_rows

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORDERS, ITEMS = load_contract("orders/1"), load_contract("items/1")


class World:
    """Two tables, a lake, and a clock that goes on by `step` each time it is looked at."""

    def __init__(self):
        self.now, self.step, self.every = NOON, timedelta(), HOUR
        self.tables = {each.stream: FakeChangedRows(FakeRows(each)) for each in (ITEMS, ORDERS)}
        self.lake = FakeReference(self.clock)
        self.store = FakeTables()
        self.progress = TableExportProgress(self.store)

    def clock(self):
        self.now += self.step
        return self.now

    async def order(self, number, value="10.50"):
        line = (
            f'{{"order_id":"{number:08x}-0000-8000-8000-000000000000","user_id":{number},'
            f'"order_date":"2026-11-27T11:59:59.123Z","order_value":{value}}}'
        )
        delivery = await self.tables["orders"].table.send([Event(line.encode(), 1, {})])
        assert delivery.accepted == 1
        self.progress.note_change("orders", self.now)

    def export(self):
        opened = lambda contract: self.tables[contract.stream]  # noqa: E731
        export_rows(
            ExportTools((ITEMS, ORDERS), opened, ExportedFiles(self.lake), self.progress, self.every, self.clock)
        )

    def files(self):
        return {path: pq.read_table(BytesIO(content)) for path, (_, content) in self.lake.blobs.items()}

    def users(self):
        return sorted(user for table in self.files().values() for user in table["user_id"].to_pylist())


class Killed:
    """Stands for a process that ends before it has written its progress."""

    def __init__(self, progress):
        self.read, self.changed_at, self.note_change = progress.read, progress.changed_at, progress.note_change

    def move(self, *_):
        raise Unavailable("The process ended.")


@pytest.fixture
def world():
    return World()


async def test_a_file_has_the_columns_and_types_of_the_contract(world):
    await world.order(7, "1234.50")

    world.export()

    ((path, table),) = world.files().items()
    assert path.startswith("exports/orders/")
    assert table.schema.names == [column.name for column in ORDERS.columns]
    assert table.schema.field("order_value").type == pa.decimal128(38, 18)
    assert table.schema.field("order_date").type == pa.timestamp("us", "UTC")
    assert table.to_pylist()[0] | {"order_id": ""} == {
        "order_id": "",
        "user_id": 7,
        "order_date": datetime(2026, 11, 27, 11, 59, 59, 123000, tzinfo=UTC),
        "order_value": Decimal("1234.50"),
    }


async def test_each_export_has_only_what_changed_since_the_one_before(world):
    await world.order(1)
    world.export()
    await world.order(2)
    world.now += HOUR
    world.export()

    assert [table["user_id"].to_pylist() for _, table in sorted(world.files().items())] == [[1], [2]]


async def test_tables_are_exported_as_often_as_is_set(world):
    world.export()
    await world.order(1)
    world.now += HOUR - timedelta(seconds=1)
    world.export()
    assert world.users() == []

    world.now += timedelta(seconds=1)
    world.export()

    assert world.users() == [1]


async def test_a_table_is_not_asked_where_nothing_was_written_since_its_last_export(world):
    await world.order(1)
    world.export()
    world.now += HOUR
    world.export()
    world.tables = {}

    for _ in range(48):
        world.now += HOUR
        world.export()

    assert world.progress.read("orders").at == NOON + HOUR, "a second time, for what was under way at the first"


async def test_what_is_written_while_a_table_is_exported_is_exported_the_next_time(world):
    world.export()
    await world.order(1)
    world.now += timedelta(minutes=9)
    world.progress.move("orders", world.progress.read("orders"), Exported(0, world.now))
    world.now += HOUR

    world.export()

    assert world.users() == [1]


async def test_nothing_is_exported_where_data_factory_does_it(world):
    world.every = None
    await world.order(1)

    world.export()

    assert (world.files(), world.progress.read("orders")) == ({}, Exported())


async def test_nothing_new_makes_no_file(world):
    await world.order(1)
    world.export()
    world.now += HOUR
    world.export()

    assert len(world.files()) == 1


async def test_a_table_is_exported_in_files_of_so_many_rows(world, monkeypatch):
    monkeypatch.setattr(flow, "ROWS", 4)
    for number in range(10):
        await world.order(number)

    world.export()

    assert sorted(len(table) for table in world.files().values()) == [2, 4, 4]
    assert world.users() == list(range(10))


async def test_what_a_tick_has_no_time_for_the_next_one_does_though_no_hour_is_over(world, monkeypatch):
    monkeypatch.setattr(flow, "ROWS", 4)
    for number in range(10):
        await world.order(number)
    world.step = TIME / 3

    world.export()
    assert len(world.files()) < 3
    world.step = timedelta()
    world.export()

    assert world.users() == list(range(10))


async def test_a_kill_between_file_and_progress_loses_nothing(world):
    await world.order(1)
    progress, world.progress = world.progress, Killed(world.progress)
    world.export()
    assert world.users() == [1]

    await world.order(2)
    world.progress = progress
    world.export()

    assert sorted(set(world.users())) == [1, 2]
    assert world.progress.read("orders").position == 2


async def test_a_lake_that_is_away_loses_nothing(world):
    await world.order(1)
    world.lake.failure = Unavailable("It is away.")
    world.export()
    assert world.progress.read("orders") == Exported()

    world.lake.failure = None
    world.export()

    assert world.users() == [1]


async def test_a_database_that_is_away_costs_one_more_try_and_the_other_table_nothing(world, caplog):
    await world.order(1)
    world.tables["items"].failure = Unavailable("It is away.")
    world.export()

    assert world.users() == [1]
    assert "export.failed stream=items cause=It is away." in caplog.text
    world.tables["items"].failure = None
    world.export()

    assert world.progress.read("items").at == NOON


async def test_of_two_exports_at_once_neither_writes_over_what_the_other_has_alone(world):
    await world.order(1)
    other = World()
    other.lake, other.tables, other.store = world.lake, world.tables, world.store
    other.progress = TableExportProgress(world.store)
    slow = Late(world.tables["orders"], other)
    world.tables = world.tables | {"orders": slow}
    await slow.answer_now()

    world.export()

    assert set(world.users()) == {1, 2}
    assert world.progress.read("orders").position == 2


class Late:
    """A table whose answer comes after another instance has exported it, with one row more."""

    def __init__(self, table, other):
        self.table, self.other = table, other

    async def answer_now(self):
        self.answer = self.table.after(0, 100)
        await self.other.order(2)

    def after(self, *_):
        self.other.export()
        return self.answer
