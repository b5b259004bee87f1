"""The contract of a stream's table as a destination: what holds for SQLite, and T-SQL in translation, for the fake."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.sql.database import SqlDatabase, sql_database
from shared.clients.sql.fake import FakeRows
from shared.clients.sql.rows import SqlRows
from shared.contracts import parse_contract
from shared.domain.delivery import Delivery, Event
from shared.errors import SendFailed
from tests.integration.metrics_client.conftest import failing_commits
from tests.integration.metrics_client.odbc_standin import Odbc, refusal

SCHEMA = {
    "required": ["shop", "number", "note"],
    "x-key": ["shop", "number"],
    "x-partition-key": "shop",
    "properties": {
        "shop": {"type": "string"},
        "number": {"type": "integer"},
        "note": {"type": "string"},
        "price": {"type": "number"},
        "paid": {"type": "boolean"},
        "at": {"type": "string", "format": "date-time"},
    },
}
ORDERS = parse_contract("orders", 1, SCHEMA)
KEYS_ALONE = parse_contract(
    "visits", 1, SCHEMA | {"required": ["shop"], "x-key": ["shop"], "properties": {"shop": {"type": "string"}}}
)
QUICK = RetryPolicy(Timeouts(total=1.0, attempt=0.5, ordinary=Backoff(0.01, 0.05), throttled=Backoff(0.01, 0.05)))


def record(number=1, **changed):
    return {"shop": "Köln", "number": number, "note": "—"} | changed


def line(document):
    return json.dumps(document, ensure_ascii=False).encode()


def event(*documents, encoding="identity"):
    """Give an event of records; what is bytes already travels as it is."""
    body = b"\n".join(each if isinstance(each, bytes) else line(each) for each in documents)
    if encoding == "zstd":
        body = pa.Codec("zstd").compress(body, asbytes=True)
    return Event(body, len(documents), {"contract": "orders/1", "encoding": encoding})


@dataclass
class SqlTable:
    path: Path
    rows: SqlRows
    odbc: Odbc | None = None

    def stored(self):
        with closing(sqlite3.connect(self.path)) as connection:
            names = ", ".join(column.name for column in self.rows.contract.columns)
            try:
                found = connection.execute(f"SELECT {names} FROM {self.rows.contract.stream}").fetchall()
            except sqlite3.OperationalError:
                return {}
        return {(row[0], *([row[1]] if len(row) > 1 else [])): tuple(row) for row in found}

    def fail_next(self, fate):
        if self.odbc:
            point = {"unavailable": "MERGE", "unknown": "AFTER COMMIT"}[fate]
            self.odbc.faults = {point: [refusal(0, "The connection was cut.", "08S01")] * 999}
        elif fate == "unavailable":
            self.rows = SqlRows(
                self.rows.contract, sql_database("sqlite:////nowhere/sql.db", FakeIdentity(), makes_file=True), QUICK
            )
        else:
            engine = failing_commits(self.path, comes_through=True)
            once = RetryPolicy(Timeouts(total=0.2, attempt=9.0))
            self.rows = SqlRows(self.rows.contract, SqlDatabase("The SQLite database", lambda: engine), once)

    def refuse_last_of(self, number):
        """Have a table of somebody else's that holds no such number."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            columns = (
                f"shop TEXT, number INTEGER CHECK (number <> {number}), note TEXT, price TEXT, paid INTEGER, at TEXT"
            )
            connection.execute(f"CREATE TABLE orders ({columns}, PRIMARY KEY (shop, number))")


@dataclass
class FakeTable:
    rows: FakeRows

    def stored(self):
        return dict(self.rows.stored)

    def fail_next(self, fate):
        self.rows.failures = [fate]

    def refuse_last_of(self, number):
        self.rows.failures = ["refused"]


@pytest.fixture(params=["fake", "sqlite", "odbc"])
def opened(request, tmp_path):
    """Give what opens the table of a contract."""

    def fake(contract):
        return FakeTable(FakeRows(contract))

    def sqlite(contract):
        database = sql_database(f"sqlite:///{tmp_path / 'sql.db'}", FakeIdentity(), makes_file=True)
        return SqlTable(tmp_path / "sql.db", SqlRows(contract, database, QUICK))

    def odbc(contract):
        module = Odbc(tmp_path / "sql.db")
        database = sql_database("mssql://sql.example/orders", FakeIdentity(), odbc=lambda: module)
        return SqlTable(module.path, SqlRows(contract, database, QUICK), module)

    return {"fake": fake, "sqlite": sqlite, "odbc": odbc}[request.param]


@pytest.fixture
def table(opened):
    return opened(ORDERS)


async def test_records_become_rows_whose_values_keep_what_was_sent(table):
    whole = record(price=Decimal(0), paid=True, at="2026-11-22T14:00:00.000001+02:00")
    sent = line(whole | {"price": 1}).replace(b'"price": 1', b'"price": 12345678901234567890.123456789012345678')

    delivery = await table.rows.send([event(sent, record(2)), event(record(3, paid=False, price=7))])

    assert delivery == Delivery(accepted=3, events=2)
    assert table.stored() == {
        ("Köln", 1): ("Köln", 1, "—", "12345678901234567890.123456789012345678", 1, "2026-11-22T12:00:00.000001"),
        ("Köln", 2): ("Köln", 2, "—", None, None, None),
        ("Köln", 3): ("Köln", 3, "—", "7", 0, None),
    }


async def test_a_pack_may_be_compressed(table):
    delivery = await table.rows.send([event(*(record(number) for number in range(900)), encoding="zstd")])

    assert delivery == Delivery(accepted=900, events=1)
    assert len(table.stored()) == 900


async def test_of_records_of_one_key_the_last_one_wins(table):
    first = await table.rows.send([event(record(note="a"), record(2), record(note="b"))])
    second = await table.rows.send([event(record(note="c")), event(record(note="d"))])

    assert (first.accepted, second.accepted) == (3, 2)
    assert table.stored()["Köln", 1][2] == "d"
    assert len(table.stored()) == 2


async def test_a_repetition_changes_nothing(table):
    events = [event(record(1), record(2, price=3))]
    first = await table.rows.send(events)
    stored = table.stored()

    assert await table.rows.send(events) == first
    assert table.stored() == stored


async def test_keys_are_told_apart_to_the_letter(table):
    await table.rows.send([event(record(shop="a"), record(shop="A"), record(shop="ä"))])

    assert {key[0] for key in table.stored()} == {"a", "A", "ä"}


async def test_a_contract_of_keys_alone_is_stored_too(opened):
    table = opened(KEYS_ALONE)

    for _ in range(2):
        assert (await table.rows.send([event({"shop": "a"}, {"shop": "b"}, {"shop": "a"})])).accepted == 3

    assert len(table.stored()) == 2


async def test_what_can_not_be_stored_is_refused_by_its_reason_and_its_neighbours_are_stored(table):
    wrong = {"no JSON": b"{", "number is missing": {"shop": "a", "note": ""}, "price must be": record(price="1")}

    delivery = await table.rows.send(
        [event(record(1), *wrong.values(), record(2)), Event(b"\xff", 2, {"encoding": "zstd"})]
    )

    assert (delivery.accepted, delivery.refused) == (2, 5)
    assert len(table.stored()) == 2
    for reason, found in zip([*wrong, "no zstd"], delivery.refusals, strict=True):
        assert reason in found.reason


async def test_a_row_that_the_database_refuses_stops_none_of_its_neighbours(table):
    table.refuse_last_of(7)

    delivery = await table.rows.send([event(*(record(number) for number in range(8)))])

    assert (delivery.accepted, delivery.refused, delivery.events) == (7, 1, 1)
    assert [number for _, number in sorted(table.stored())] == list(range(7))


async def test_nothing_is_a_delivery_of_nothing(table):
    assert await table.rows.send([]) == Delivery()


async def test_a_database_that_is_away_is_a_failure_with_what_was_refused(table):
    table.fail_next("unavailable")

    with pytest.raises(SendFailed, match="orders") as failed:
        await table.rows.send([event(record(1), b"{")])

    assert (failed.value.delivery.accepted, failed.value.delivery.unknown, failed.value.delivery.refused) == (0, 0, 1)
    assert table.stored() == {}


async def test_what_may_be_stored_though_nobody_answered_is_unknown(table):
    await table.rows.send([event(record(9))])
    table.fail_next("unknown")

    with pytest.raises(SendFailed) as failed:
        await table.rows.send([event(record(1), record(2))])

    assert failed.value.delivery.unknown == 2
    assert len(table.stored()) == 3
