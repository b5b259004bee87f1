"""The web shop: views and stars as JSON lines beside plain Faker, orders and items into SQLite beside row by row."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from faker import Faker

from benchmarks.interleaved import Row, Side, compare
from benchmarks.peers import faker_shop
from shared.clients.identity.fake import FakeIdentity
from shared.clients.sql.database import sql_database
from shared.clients.sql.rows import SqlRows
from shared.contracts import load_contract
from shared.feeds.feed import Position
from shared.feeds.packing import Packing, as_events
from shared.feeds.shop.building import build
from shared.feeds.shop.feed import Shop
from shared.flows.drawn_slice import MOST_AT_ONCE

START = 1_795_341_600_000_000  # 2026-11-22T10:00:00Z
RATE = 10_000.0
LINES, LINES_PEER = "the shop's views and stars as JSON lines", "plain Faker sessions, uuid and json"
ROWS, ROWS_PEER = "the shop's orders and items drawn and stored in SQLite", "Faker and executemany row by row"
TEXTS_PEER = "Faker and an INSERT of all values of 100 orders"
SESSIONS, ORDERS, ORDERS_OF_PEER = 5, 2_000, 100  # the seed commits after each 100 orders


def rows() -> list[Row]:
    pa.set_cpu_count(1)
    shop, fake = Shop(build(1)), Faker("cs_CZ")
    with TemporaryDirectory() as folder:
        return _lines(shop, fake) + _stored(shop, fake, Path(folder))


def _lines(shop: Shop, fake: Faker) -> list[Row]:
    _agree(shop, fake)

    def peer() -> tuple[int, int]:
        made = faker_shop.lines(fake, SESSIONS)
        return len(made), sum(map(len, made))

    return compare(LINES, _drawn(shop), {LINES_PEER: peer}, {LINES_PEER: 150.0})


def _drawn(shop: Shop) -> Side:
    """Draw views that were never drawn before, as many as a slice draws at once."""
    numbers = count()

    def side() -> tuple[int, int]:
        drawn = shop.draw(_position(next(numbers), MOST_AT_ONCE, 0))
        streams = [drawn[name] for name in ("pageviews", "stars")]
        return sum(map(len, streams)), sum(one.lines.nbytes - 4 * (len(one) + 1) for one in streams)

    return side


def _stored(shop: Shop, fake: Faker, folder: Path) -> list[Row]:
    database = sql_database(f"sqlite:///{folder / 'ours.db'}", FakeIdentity(), makes_file=True)
    tables = {name: SqlRows(load_contract(f"{name}/1"), database) for name in ("items", "orders")}
    numbers = count()

    def ours() -> tuple[int, int]:
        drawn = shop.draw(_position(next(numbers), ORDERS, 1000))
        for name, table in tables.items():
            events, _ = as_events(drawn[name], Packing("pack"), contract=f"{name}/1", slice_id="w/0.1", partitions=0)
            asyncio.run(table.send(events))
        return sum(len(drawn[name]) for name in tables), 0

    with _peer(faker_shop.store, fake, folder) as row_by_row, _peer(faker_shop.store_as_texts, fake, folder) as texts:
        return compare(ROWS, ours, {ROWS_PEER: row_by_row, TEXTS_PEER: texts}, {ROWS_PEER: 5.0})


@contextmanager
def _peer(store: Callable[[sqlite3.Connection, Faker, int], int], fake: Faker, folder: Path) -> Iterator[Side]:
    with closing(sqlite3.connect(folder / f"{store.__name__}.db")) as connection:
        faker_shop.make_tables(connection)
        yield lambda: (store(connection, fake, ORDERS_OF_PEER), 0)


def _position(number: int, size: int, orders: int) -> Position:
    return Position("window", 0, number * size, size, START, RATE, {"SHOP_ORDERS": orders})


def _agree(shop: Shop, fake: Faker) -> None:
    """Check that both make records of the same two shapes."""
    drawn = shop.draw(_position(0, MOST_AT_ONCE, 0))
    ours = [line for name in ("pageviews", "stars") for line in drawn[name].lines.to_pylist()]
    if _shapes(ours) != _shapes(faker_shop.lines(fake, 500)):
        raise AssertionError("Faker and the app made records of different shapes")


def _shapes(lines: list[bytes]) -> set[tuple[tuple[str, type], ...]]:
    return {tuple((name, type(value)) for name, value in json.loads(line).items()) for line in lines}


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name} | {row.beside}: {row.ratio:.4g}x (bar {row.bar}), {row.note}, met: {row.met}")
