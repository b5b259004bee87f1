"""The statements of both databases: they parse, and say of `Trades` what its readers rely on."""

import re

import pytest
import sqlglot
from sqlglot import expressions

from lakehouse.sinks import statements
from lakehouse.sinks.ddl import create_staging, ddl
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.tables import OWN, WINDOW_COUNTS, sql_table
from lakehouse.sinks.upgrading import COLUMNS
from sql_tables import ALL_TYPES, BY_DAY, TRADES, table

DIALECTS = ("tsql", "sqlite")
KEYS_ALONE = sql_table(table("a long, b date", "a", "b", sql="Pairs"), length_of)
MEASURES = sql_table(BY_DAY, length_of)
TABLES = [sql_table(TRADES, length_of), sql_table(ALL_TYPES, length_of), KEYS_ALONE, MEASURES, *OWN]
MADE = sql_table(TRADES, length_of)

TRADES_IN_TSQL = """
IF OBJECT_ID('dbo.Trades', 'U') IS NULL
CREATE TABLE "Trades" (
  "id" nvarchar(128),
  "name" nvarchar(200),
  "symbol" nvarchar(64),
  "exchange" nvarchar(32),
  "quote" nvarchar(64),
  "direction" nvarchar(8),
  "price" decimal(38, 18),
  "volume" decimal(38, 18),
  "timestamp" datetime2(6),
  "explorer" nvarchar(400),
  "marketCapUsd" decimal(38, 18),
  "maxSupply" decimal(38, 18),
  "rank" bigint,
  "changePercent24Hr" decimal(38, 18),
  "volumeUsd24Hr" decimal(38, 18),
  "vwap24Hr" decimal(38, 18),
  "venue" nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  "market" nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  "trade_id" bigint NOT NULL,
  "window_id" nvarchar(64) NOT NULL,
  CONSTRAINT "trades_key" PRIMARY KEY ("venue", "market", "trade_id")
)
"""


def of_table(made, dialect):
    yield from ddl(made, dialect)
    yield from create_staging(made, made.staging, made.names, dialect)
    yield from create_staging(made, made.keys, made.key, dialect)
    yield statements.upsert(made, dialect)
    yield statements.delete_missing(made, dialect)
    yield statements.delete_values(made, made.key[0], 3)
    yield statements.clear(made.staging)
    yield statements.count_window(made)


def of_all(dialect):
    yield from (statements.PROGRESS, statements.BEGIN, statements.ADVANCE, statements.DELETE_COUNTS, COLUMNS[dialect])
    yield statements.SPILLED
    yield statements.add_count(dialect)
    for made in TABLES:
        yield from of_table(made, dialect)


def parsed(statement, dialect):
    (tree,) = sqlglot.parse(statement, dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    return tree


def words(statement):
    return re.sub(r"\s+", " ", statement).strip()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_statement_parses(dialect):
    for statement in of_all(dialect):
        found = list(parsed(statement, dialect).find_all(expressions.Command))

        assert found == [], statement


def test_trades_is_made_as_its_readers_know_it():
    made, index = ddl(MADE, "tsql")

    assert words(made) == words(TRADES_IN_TSQL)
    assert index.endswith('CREATE INDEX "trades_of_window" ON "Trades" ("window_id")')


def test_trades_are_merged_on_their_key_under_a_lock_that_keeps_others_from_inserting():
    merge = parsed(statements.upsert(MADE, "tsql"), "tsql")
    (insert,) = merge.find_all(expressions.Insert)
    (update,) = merge.find_all(expressions.Update)

    assert isinstance(merge, expressions.Merge)
    assert "WITH (HOLDLOCK)" in merge.sql("tsql")
    assert {column.name for column in merge.args["on"].find_all(expressions.Column)} == set(MADE.key)
    assert [column.name for column in insert.this.expressions] == list(MADE.names)
    assert [change.this.name for change in update.expressions] == [name for name in MADE.names if name not in MADE.key]


def test_a_table_of_keys_alone_is_merged_without_an_update():
    merge = parsed(statements.upsert(KEYS_ALONE, "tsql"), "tsql")

    assert [*merge.find_all(expressions.Update)] == []
    assert statements.upsert(KEYS_ALONE, "sqlite").endswith("DO NOTHING")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_count_is_inserted_with_every_column(dialect):
    statement = statements.add_count(dialect)

    assert statement.count("?") == len(WINDOW_COUNTS.names)
    assert [name for name in WINDOW_COUNTS.names if f'"{name}"' not in statement] == []


@pytest.mark.parametrize("made", TABLES, ids=lambda made: made.name)
def test_both_databases_are_told_of_the_same_columns_and_keys(made):
    columns = [
        [(column.name, bool(column.find(expressions.NotNullColumnConstraint))) for column in found]
        for found in (parsed(ddl(made, dialect)[0], dialect).find_all(expressions.ColumnDef) for dialect in DIALECTS)
    ]

    assert columns[0] == columns[1] == [(column.name, column.required) for column in made.columns]


def test_a_table_of_a_days_measures_is_keyed_by_day_and_takes_its_days_place():
    made = parsed(ddl(MEASURES, "tsql")[0], "tsql")
    kinds = {column.name: column.kind.sql("tsql").lower() for column in made.find_all(expressions.ColumnDef)}
    merge = parsed(statements.upsert(MEASURES, "tsql"), "tsql")
    replaced = parsed(statements.delete_values(MEASURES, "day", 2), "tsql")

    assert kinds == {
        "day": "date",
        "area": "nvarchar(16)",
        "agent": "bigint",
        "period": "integer",
        "calls": "bigint",
        "is_full": "bit",
        "share": "numeric(9, 4)",
    }
    assert {column.name for column in merge.args["on"].find_all(expressions.Column)} == {"day", "area", "agent"}
    assert [column.name for column in replaced.find_all(expressions.Column)] == ["day"]


def test_all_types_have_their_sql_type():
    made, index = ddl(sql_table(ALL_TYPES, length_of), "tsql")
    kinds = [column.kind.sql("tsql").lower() for column in parsed(made, "tsql").find_all(expressions.ColumnDef)]

    assert kinds == [
        *("bigint", "nvarchar(8)", "numeric(10, 2)", "datetime2(6)", "date"),
        *("bit", "float", "integer", "nvarchar(4)"),
    ]
    assert '"things_of_day"' in index
