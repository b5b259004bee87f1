"""The web shop's streams on their way: a whole window on fakes, and its orders and items in a SQLite file."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Clock, RetryPolicy, Timeouts, TransientError
from shared.clients.sql.database import SqlDatabase, sql_database
from shared.clients.sql.rows import SqlRows
from shared.contracts import load_contract
from shared.domain.delivery import Delivery
from shared.errors import SendFailed
from shared.feeds.feed import Position
from shared.feeds.packing import Packing, as_events
from shared.feeds.shop.feed import FEED
from tests.architecture.app_on_fakes import App
from tests.unit.shared.feeds.shop.conftest import START, STREAMS, WINDOW, read

TABLES = ("items", "orders")
READ_AT_ONCE, AT_ONCE = 500, 10_000  # rows that are read by column at once, and that are one transaction
EDGES = (1, READ_AT_ONCE - 1, READ_AT_ONCE, READ_AT_ONCE + 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 1)


@dataclass
class World:
    """Time that goes on while somebody waits, and a database that is away until `back`, in seconds."""

    path: str
    back: float = 0.0
    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds

    def rows(self, stream, total):
        clock = Clock(now=lambda: self.now, sleep=self.wait, jitter=lambda: 0.5)
        return SqlRows(load_contract(f"{stream}/1"), _Away(self), RetryPolicy(Timeouts(total=total), clock))

    def stored(self, stream):
        with closing(sqlite3.connect(self.path)) as connection:
            return sorted(connection.execute(f"SELECT * FROM {stream}").fetchall())


class _Away:
    """The database of a world."""

    dialect = "sqlite"

    def __init__(self, world):
        self.world = world
        self.database: SqlDatabase = sql_database(f"sqlite:///{world.path}", FakeIdentity(), makes_file=True)

    def call(self, work, retry):
        def attempt(seconds):
            if self.world.now < self.world.back:
                raise TransientError("The database is away.")
            with self.database.transaction(60.0) as transaction:
                return work(transaction)

        return retry.call(attempt)


@pytest.fixture
def world(tmp_path):
    return World(str(tmp_path / "sql.db"))


def events(records, stream, mode="pack"):
    made, refused = as_events(records, Packing(mode), contract=f"{stream}/1", slice_id=f"{WINDOW}/0.1", partitions=0)
    assert not refused
    return made


async def test_a_window_ends_closed_and_all_that_was_drawn_is_accepted(tmp_path):
    app = App(FEED, tmp_path / "pools", SHOP_RATE="60", SHOP_ORDERS="100")
    plan = app.claim()

    state = await app.run(plan)

    counts = app.counts(plan)
    assert state == "closed"
    assert set(counts) == set(STREAMS)
    assert counts["pageviews"] == (600, 600)
    assert all(read == accepted > 0 for read, accepted in counts.values())


def test_items_are_sent_before_their_orders(drawn):
    assert list(drawn).index("items") < list(drawn).index("orders")


@pytest.mark.parametrize("mode", ["row", "pack"])
async def test_every_order_and_item_is_a_row_and_the_values_of_items_add_up(world, drawn, mode):
    for stream in TABLES:
        await world.rows(stream, 60.0).send(events(drawn[stream], stream, mode))

    with closing(sqlite3.connect(world.path)) as connection:
        found = dict(connection.execute("SELECT order_id, order_value FROM orders"))
        items = connection.execute("SELECT order_id, item_value FROM items").fetchall()
    sums = dict.fromkeys(found, Decimal())
    for order, value in items:
        sums[order] += Decimal(value)
    assert len(found) == len(drawn["orders"])
    assert len(items) == len(drawn["items"])
    assert sums == {order: Decimal(value) for order, value in found.items()}


@pytest.mark.parametrize("count", EDGES)
async def test_no_row_is_lost_at_the_edge_of_a_batch(world, shop, count):
    drawn = shop.draw(Position(WINDOW, 0, 0, 4_500, START, 10.0, {"SHOP_ORDERS": 1000}))
    records = drawn["items"].slice(0, count)
    sent = events(records, "items")

    delivery = await world.rows("items", 60.0).send(sent)

    keys = {(row["order_id"], row["row_id"]) for row in read(records)}
    assert delivery == Delivery(accepted=count, events=len(sent))
    assert {row[:2] for row in world.stored("items")} == keys
    assert len(keys) == count


async def test_a_slice_that_is_repeated_changes_nothing(shop, world):
    first = shop.draw(Position(WINDOW, 0, 0, 3_000, START, 10.0))
    again = [shop.draw(Position(WINDOW, 0, number * 750, 750, START, 10.0)) for number in range(4)]

    for stream in TABLES:
        await world.rows(stream, 60.0).send(events(first[stream], stream))
    before = [world.stored(stream) for stream in TABLES]
    for batch in again:
        for stream in TABLES:
            await world.rows(stream, 60.0).send(events(batch[stream], stream))

    assert [world.stored(stream) for stream in TABLES] == before
    assert len(before[1]) == len(first["orders"]) > 30


async def test_a_database_that_is_away_for_a_minute_is_waited_for(world, drawn):
    world.back = 60.0

    delivery = await world.rows("orders", 120.0).send(events(drawn["orders"], "orders"))

    assert delivery.accepted == len(drawn["orders"]) == len(world.stored("orders"))
    assert 60.0 <= world.now < 120.0


async def test_a_database_that_is_away_for_longer_fails_the_send_which_may_be_done_again(world, drawn):
    world.back = 60.0
    sent = events(drawn["orders"], "orders")

    with pytest.raises(SendFailed) as failed:
        await world.rows("orders", 30.0).send(sent)
    world.now = world.back
    again = await world.rows("orders", 30.0).send(sent)

    assert (failed.value.delivery.accepted, failed.value.delivery.unknown) == (0, 0)
    assert again.accepted == len(drawn["orders"]) == len(world.stored("orders"))
