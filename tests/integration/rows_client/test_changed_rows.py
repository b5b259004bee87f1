"""The contract of a table's changed rows: what holds for SQLite, and T-SQL in translation, for the fake."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.sql.changed_rows import SqlChangedRows
from shared.clients.sql.database import sql_database
from shared.clients.sql.fake import FakeChangedRows, FakeRows
from shared.clients.sql.rows import SqlRows
from tests.integration.metrics_client.odbc_standin import Odbc
from tests.integration.rows_client.test_contract import ORDERS, QUICK, event, record


@dataclass
class Opened:
    rows: Any
    changed: Any
    empty: Any

    async def write(self, *numbers, **changed):
        assert (await self.rows.send([event(*(record(number, **changed) for number in numbers))])).refused == 0

    def read(self, position=0, most=100):
        """Give the numbers of all rows that changed behind a position, file by file, and the last position."""
        parts, more = [], True
        while more:
            part = self.changed.after(position, most)
            parts.append([row[1] for row in part.rows])
            position, more = part.to, part.has_more
        return parts, position


@pytest.fixture(params=["fake", "sqlite", "odbc"])
def table(request, tmp_path):
    path = tmp_path / "sql.db"

    def emptied():
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM orders")
            if request.param == "odbc":
                connection.execute("UPDATE _versions SET newest = 0")

    if request.param == "fake":
        rows = FakeRows(ORDERS)
        return Opened(rows, FakeChangedRows(rows), lambda: (rows.stored.clear(), rows.changes.clear()))
    module = Odbc(path)
    url = f"sqlite:///{path}" if request.param == "sqlite" else "mssql://sql.example/orders"
    writing, reading = (sql_database(url, FakeIdentity(), odbc=lambda: module, makes_file=one) for one in (True, False))
    return Opened(SqlRows(ORDERS, writing, QUICK), SqlChangedRows(ORDERS, reading), emptied)


async def test_a_table_that_is_not_there_has_no_changes(table):
    assert table.read() == ([[]], 0)


async def test_rows_are_read_with_their_values_as_python_has_them(table):
    await table.write(1, price=1.1, paid=True, at="2026-11-22T14:00:00.000001+02:00")

    (row,) = table.changed.after(0, 10).rows

    assert row == ("Köln", 1, "—", Decimal("1.1"), True, datetime(2026, 11, 22, 12, 0, 0, 1, tzinfo=UTC))


async def test_what_changed_behind_a_position_is_read_and_nothing_else(table):
    await table.write(1, 2)
    _, position = table.read()
    await table.write(3)
    await table.write(1, note="changed")

    found, end = table.read(position)

    assert [sorted(numbers) for numbers in found] == [[1, 3]]
    assert table.read(end) == ([[]], end)


async def test_rows_are_read_in_parts_of_which_none_is_left_out_and_none_is_twice(table):
    for first in range(0, 30, 5):
        await table.write(*range(first, first + 5))

    parts, _ = table.read(most=7)

    assert sorted(number for part in parts for number in part) == list(range(30))
    assert all(7 <= len(part) < 7 + 5 for part in parts[:-1])


async def test_a_row_that_changes_between_two_parts_comes_again_as_it_is_then(table):
    await table.write(1)
    await table.write(2)
    first = table.changed.after(0, 1)
    await table.write(1, note="later")

    found, _ = table.read(first.to)

    assert [row[1] for row in first.rows] == [1]
    assert sorted(found[0]) == [1, 2]


async def test_a_row_that_changes_again_is_found_though_it_was_the_newest_and_only_one(table):
    await table.write(1)
    _, position = table.read()
    await table.write(1, note="changed")

    assert table.read(position)[0] == [[1]]


async def test_a_table_that_was_made_anew_is_read_from_its_beginning(table):
    await table.write(*range(5))
    await table.write(*range(5, 10))
    _, position = table.read()
    table.empty()
    await table.write(77)

    part = table.changed.after(position + 1_000, 10)

    assert ([row[1] for row in part.rows], part.begin) == ([77], 0)
