import re

import pytest
import sqlglot
from sqlalchemy.dialects import mssql, sqlite
from sqlglot import expressions

from shared.clients.retrying import Clock, RetryPolicy, Timeouts
from shared.clients.sql.records import RowFormat
from shared.clients.sql.rows import Merge, SqlRows, table_of, upsert
from shared.clients.sql.tables import ROW_VERSION, create_table
from shared.contracts import load_contract
from shared.domain.delivery import Event
from shared.errors import SendFailed, Unavailable

DIALECTS = {"tsql": mssql.dialect(paramstyle="qmark"), "sqlite": sqlite.dialect()}
TRADES = load_contract("trades/1")
FORMAT = RowFormat.of(TRADES)
LINE = (
    b'{"venue": "kraken", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "trade_id": %d, "price": 65000.10,'
    b' "volume": 0.1, "direction": "buy", "direction_basis": "taker", "timestamp": "2026-11-22T12:00:00.000001Z",'
    b' "received_at": "2026-11-22T12:00:00.5Z", "origin": "live"}'
)


def parsed(written, name):
    (tree,) = sqlglot.parse(written, dialect=name, error_level=sqlglot.ErrorLevel.RAISE)
    return tree


class SlowDatabase:
    """Takes four seconds of the test's time for each call, and notes how long each might have taken."""

    dialect = "mssql"

    def __init__(self):
        self.now, self.granted = 100.0, []

    def call(self, work, retry):
        self.granted.append(retry.timeouts.total)
        self.now += 4.0


class FailingDatabase:
    """Does as many calls as it is told, then is away."""

    dialect = "mssql"

    def __init__(self, calls):
        self.calls = calls

    def call(self, work, retry):
        self.calls -= 1
        if self.calls < 0:
            raise Unavailable("It is away.")


@pytest.mark.parametrize("name", DIALECTS)
def test_the_table_of_a_contract_has_its_columns_and_its_key(name):
    made = create_table(table_of(FORMAT), {"tsql": "mssql", "sqlite": "sqlite"}[name])

    tree = parsed(str(made.compile(dialect=DIALECTS[name])).strip(), name)

    names = [column.name for column in tree.find_all(expressions.ColumnDef)]
    assert names == [*(each.name for each in TRADES.columns), *([ROW_VERSION] if name == "tsql" else [])]
    assert [each.name for each in tree.find(expressions.PrimaryKey).find_all(expressions.Identifier)] == list(
        TRADES.key
    )


def test_in_sql_server_keys_are_bounded_and_numbers_exact():
    written = str(create_table(table_of(FORMAT), "mssql").compile(dialect=DIALECTS["tsql"]))

    assert "[venue] NVARCHAR(220) COLLATE Latin1_General_100_BIN2 NOT NULL" in written
    assert "[base] NVARCHAR(max) NOT NULL" in written
    assert "[trade_id] BIGINT NOT NULL" in written
    assert re.search(r"\[price\] (NUMERIC|DECIMAL)\(38, 18\) NOT NULL", written)
    assert "[timestamp] DATETIME2(6) NOT NULL" in written


def test_the_upsert_of_sql_server_is_a_merge_by_the_key_of_values_that_are_cast():
    rows = [FORMAT.row_of(LINE % number) for number in range(3)]

    written = str(Merge(table_of(FORMAT), rows).compile(dialect=DIALECTS["tsql"]))
    tree = parsed(written, "tsql")

    assert isinstance(tree, expressions.Merge)
    assert {same.this.name for same in tree.args["on"].find_all(expressions.EQ)} == set(TRADES.key)
    assert len(list(tree.find_all(expressions.Cast))) == 3 * len(TRADES.columns)
    assert written.count("CAST(? AS NVARCHAR(220)) COLLATE Latin1_General_100_BIN2") == 3 * 2


def test_the_upsert_of_sqlite_parses():
    written = str(upsert(table_of(FORMAT)).compile(dialect=DIALECTS["sqlite"]))

    tree = parsed(written, "sqlite")

    assert tree.args["alternative"] == "REPLACE"
    assert [column.name for column in tree.this.expressions] == [each.name for each in TRADES.columns]


async def test_a_database_that_goes_away_is_a_failure_with_what_was_stored_before():
    event = Event(b"\n".join(LINE % number for number in range(400)), 400, {})

    with pytest.raises(SendFailed, match="Table trades: It is away") as failed:
        await SqlRows(TRADES, FailingDatabase(calls=2)).send([event])

    assert (failed.value.delivery.accepted, failed.value.delivery.unknown) == (2 * (2_000 // len(TRADES.columns)), 0)


async def test_the_deadline_of_a_send_is_that_of_all_its_transactions_together():
    event = Event(b"\n".join(LINE % number for number in range(600)), 600, {})
    database = SlowDatabase()
    retry = RetryPolicy(Timeouts(total=10.0), Clock(now=lambda: database.now))

    await SqlRows(TRADES, database, retry).send([event])

    assert database.granted == [10.0, 6.0, 2.0, 0.0]
