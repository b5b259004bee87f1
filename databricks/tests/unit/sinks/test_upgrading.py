"""How tables of older versions are brought up to date."""

import sqlite3
from contextlib import closing

import pytest

from lakehouse.sinks.ddl import create_staging, ddl
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.tables import WINDOW_COUNTS, sql_table
from lakehouse.sinks.upgrading import COLUMNS, Existing, existing, staging_fits, upgrade
from sql_tables import ALL_TYPES, TRADES, table

OLD_TRADES = """
CREATE TABLE IF NOT EXISTS "Trades" (
  "id" TEXT, "name" TEXT, "symbol" TEXT, "exchange" TEXT, "quote" TEXT, "direction" TEXT, "price" NUMERIC,
  "volume" NUMERIC, "timestamp" TEXT, "explorer" TEXT, "marketCapUsd" NUMERIC, "maxSupply" NUMERIC, "rank" INTEGER,
  "changePercent24Hr" NUMERIC, "volumeUsd24Hr" NUMERIC, "vwap24Hr" NUMERIC, "venue" TEXT NOT NULL,
  "market" TEXT NOT NULL, "trade_id" INTEGER NOT NULL, "window_id" TEXT NOT NULL,
  PRIMARY KEY ("venue", "market", "trade_id")
)
"""
OLD_COUNTS = """
CREATE TABLE "window_counts" (
  "window_id" TEXT NOT NULL, "stream" TEXT NOT NULL, "stage" TEXT NOT NULL, "name" TEXT NOT NULL,
  "rows" INTEGER NOT NULL, "updated_at" TEXT NOT NULL, PRIMARY KEY ("window_id", "stream", "stage", "name")
)
"""
HELD = (
    Existing("id", "bigint", required=True, in_key=True),
    Existing("text", "nvarchar(8)", required=False, in_key=False),
)


def made(columns, **more):
    return sql_table(table(columns, "id", **more), length_of)


def columns_of(connection, name):
    return existing(connection.execute(COLUMNS["sqlite"], (name,)).fetchall())


@pytest.mark.parametrize(
    ("statement", "wanted"), [(OLD_TRADES, sql_table(TRADES, length_of)), (OLD_COUNTS, WINDOW_COUNTS)]
)
def test_a_table_of_the_version_before_is_used_as_it_is(statement, wanted):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(statement)

        found = upgrade(wanted, columns_of(connection, wanted.name), "sqlite")

    assert (found.statements, found.faults) == ((), ())


def test_a_new_table_needs_no_upgrade():
    wanted = sql_table(ALL_TYPES, length_of)

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(ddl(wanted, "sqlite")[0])

        found = upgrade(wanted, columns_of(connection, "Things"), "sqlite")

    assert (found.statements, found.faults) == ((), ())


def test_a_new_column_that_may_be_null_is_added_with_its_rule():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(ddl(made("id long"), "sqlite")[0])
        connection.execute('INSERT INTO "Things" VALUES (1)')

        (statement,) = upgrade(made("id long, text string(8)"), columns_of(connection, "Things"), "sqlite").statements
        connection.execute(statement)

        with pytest.raises(sqlite3.IntegrityError, match=r"Things\.text: at most 8 characters"):
            connection.execute('INSERT INTO "Things" VALUES (2, ?)', ("123456789",))


@pytest.mark.parametrize(
    ("wanted", "statements"),
    [
        ("id long, text string(8)", ()),
        ("id long, text string(4)", ()),
        ("id long", ()),
        ("id long, text string(16)", ('ALTER TABLE "Things" ALTER COLUMN "text" nvarchar(16)',)),
        ("id long, text string(8), day date", ('ALTER TABLE "Things" ADD "day" date',)),
    ],
)
def test_what_fits_is_left_and_what_can_be_mended_is_mended(wanted, statements):
    found = upgrade(made(wanted), HELD, "tsql")

    assert (found.statements, found.faults) == (statements, ())


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("id long, text string(8), day date!", "Things.day: the database's table lacks it, and a date"),
        ("id long, text long", "Things.text: the database's column is nvarchar(8), which can't be made bigint"),
        ("id string(8)", "Things.id: the database's column is bigint"),
    ],
)
def test_what_can_not_be_mended_is_named(wanted, why):
    (fault,) = upgrade(made(wanted), HELD, "tsql").faults

    assert why in fault


def test_another_key_is_named():
    (fault,) = upgrade(sql_table(table("id long, text string(8)", "id", "text"), length_of), HELD, "tsql").faults

    assert "its key is ['id', 'text'], the database's table has ['id']" in fault


def test_a_column_that_may_not_be_null_there_but_here_is_named():
    held = (HELD[0], Existing("text", "nvarchar(8)", required=True, in_key=False))

    (fault,) = upgrade(made("id long, text string(8)"), held, "tsql").faults

    assert "NOT NULL" in fault


def test_an_indexed_text_is_not_widened():
    (fault,) = upgrade(made("id long, text string(16)", clustered_by=("text",)), HELD, "tsql").faults

    assert "can't be made nvarchar(16)" in fault


def test_a_text_that_sqlite_bounds_can_not_be_widened():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(ddl(made("id long, text string(8)"), "sqlite")[0])

        (fault,) = upgrade(made("id long, text string(9)"), columns_of(connection, "Things"), "sqlite").faults

    assert "Things.text: the database's column is TEXT(8), which can't be made TEXT(9)" in fault


def test_staging_fits_as_long_as_it_is_as_the_table():
    batch = Existing("batch", "nvarchar(200)", required=True, in_key=False)
    narrower = Existing("text", "nvarchar(4)", required=False, in_key=False)

    assert staging_fits((*HELD, batch), HELD, ("id", "text"), "tsql")
    assert not staging_fits((HELD[0], narrower, batch), HELD, ("id", "text"), "tsql")
    assert not staging_fits((HELD[0], batch), HELD, ("id", "text"), "tsql")
    assert not staging_fits((), HELD, ("id", "text"), "tsql")


def test_staging_that_sqlite_has_copied_fits():
    wanted = sql_table(ALL_TYPES, length_of)

    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in (ddl(wanted, "sqlite")[0], *create_staging(wanted, "s", wanted.names, "sqlite")):
            connection.execute(statement)

        assert staging_fits(columns_of(connection, "s"), columns_of(connection, wanted.name), wanted.names, "sqlite")
