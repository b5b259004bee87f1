"""Databases to measure: a SQLite file, the same behind a stand-in for ODBC, and the fake."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.sql.database import SqlDatabase, sql_database, sqlite_engine
from shared.clients.sql.fake import FakeMetrics
from shared.clients.sql.metrics import SqlMetrics
from shared.domain.volumes.alert import Alert
from shared.domain.volumes.measurement import Limits, MeasuredTable, Measurement, MeasureRequest
from tests.integration.metrics_client.odbc_standin import Odbc, refusal

NOON = datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC)
TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
TRADES = MeasuredTable("trades", "Trades", "trades", 1000, "ingestion")
QUICK = RetryPolicy(Timeouts(total=20.0, attempt=10.0, ordinary=Backoff(0.01, 0.05), throttled=Backoff(0.01, 0.05)))


def request_of(run_id="r1", window="w1", table="trades"):
    return MeasureRequest(table, run_id, TEN, window)


def alert_of(run_id="r1", kind="alert", cause="low", at=NOON, table="trades"):
    body = {"run_id": run_id, "message": "fewer — «rows»"}
    return Alert(f"{table}:{run_id}:{kind}", "ingestion", kind, table, cause, body, at)


def decides(request, *, verdict="normal", alert=None, at=NOON, seen=None):
    """Decide for a verdict; what there was to decide by is put into the list `seen`."""

    def decide(counted, past):
        if seen is not None:
            seen.append((counted, past))
        state = "pending" if alert else "none"
        limits = Limits(1000, 0.5, 3.1, 1.0, 5)
        return Measurement(request, counted.delta, counted.total, verdict, limits, state, at), alert

    return decide


def measure(metrics, request, decide, table=TRADES):
    """Gather, decide, apply: give the measurement, and whether another call had made it."""

    def once(tx):
        recorded = tx.recorded(request.run_id)
        if recorded is not None:
            return recorded, not tx.wrote(recorded)
        measurement, alert = decide(tx.counted(request, table), tx.past_alerts())
        tx.record(measurement, alert)
        return measurement, False

    return metrics.transact(request.table, once, counts_rows=True)


def post(metrics, decide, table="trades"):
    """Gather, decide, apply: give the alert that was posted, None where there was none, or one of its id before."""

    def once(tx):
        alert = decide(tx.past_alerts())
        return alert if alert and tx.post(alert) else None

    return metrics.transact(table, once)


@dataclass
class SqlWorld:
    """A SQLite file with the lakehouse's tables, and metrics upon it."""

    path: Path
    metrics: SqlMetrics
    odbc: Odbc | None = None

    def fail_next_commit(self, how):
        """Let the next commit that writes fail: it `fails`, or comes through `unanswered`."""
        if self.odbc:
            point = "BEFORE COMMIT" if how == "fails" else "AFTER COMMIT"
            self.odbc.faults = {point: [refusal(0, "The connection was cut.", "08S01")]}
        else:
            engine = failing_commits(self.path, comes_through=how == "unanswered")
            self.metrics = SqlMetrics(SqlDatabase("The SQLite database", lambda: engine, QUICK), QUICK, QUICK)

    def run(self, statement, *cells):
        with closing(sqlite3.connect(self.path, timeout=20)) as connection, connection:
            return connection.execute(statement, cells).fetchall()

    def make(self):
        self.run("CREATE TABLE Trades (trade_id INTEGER PRIMARY KEY, window_id TEXT NOT NULL)")
        self.run("CREATE INDEX trades_of_window ON Trades (window_id)")
        self.run("CREATE TABLE window_counts (window_id TEXT, stream TEXT, stage TEXT, name TEXT, rows INTEGER)")

    def add(self, window, rows):
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        if rows:
            self.run(f"INSERT INTO Trades (window_id) {numbers} SELECT ? FROM n", rows, window)
        self.count(window, ("trades", "sql", "Trades", rows))

    def count(self, window, *counted):
        """Count a window as the lakehouse does; of the total of Trades only what `counted` says of it is a part."""
        beside = [
            ("trades", "gold", "Trades", 7),
            ("trades", "sql", "Others", 8),
            ("trades", "bronze_records", "", 7),
            ("x", "sql", "Trades", 9),
            ("x", "sql", "", 9),
        ]
        for row in [*counted, *beside]:
            self.run("INSERT INTO window_counts VALUES (?, ?, ?, ?, ?)", window, *row)

    def remove(self, window):
        self.run("DELETE FROM Trades WHERE window_id = ?", window)

    def wait(self, window, rows):
        for row in [("trades", "spill", "waiting", rows), ("trades", "spill", "dead", 7), ("x", "spill", "waiting", 9)]:
            self.run("INSERT INTO window_counts VALUES (?, ?, ?, ?, ?)", window, *row)


@dataclass
class FakeWorld:
    metrics: FakeMetrics

    def fail_next_commit(self, how):
        self.metrics.commits.append(how)

    def make(self):
        self.metrics.tables["Trades"] = {}

    def add(self, window, rows):
        self.metrics.tables["Trades"][window] = rows

    def remove(self, window):
        self.metrics.tables["Trades"].pop(window)

    def wait(self, window, rows):
        self.metrics.waiting[window] = rows


def failing_commits(path, *, comes_through):
    """Give an engine whose first commit that writes fails, before or after it has its effect."""
    engine = sqlite_engine(path)
    commit, failures = engine.dialect.do_commit, [1]

    def do_commit(connection):
        lost = connection.in_transaction and failures and failures.pop()
        if not lost or comes_through:
            commit(connection)
        if lost:
            error = sqlite3.OperationalError("the answer to the commit was lost")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error

    engine.dialect.do_commit = do_commit
    return engine


def sql_metrics_at(path, odbc=None):
    url = "mssql://sql.example/trades" if odbc else f"sqlite:///{path}"
    database = sql_database(url, FakeIdentity(value="t0ken"), odbc=lambda: odbc, makes_file=True)
    return SqlMetrics(database, QUICK, QUICK)


def later(minutes):
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def sqlite_world(tmp_path):
    world = SqlWorld(tmp_path / "sql.db", sql_metrics_at(tmp_path / "sql.db"))
    world.make()
    return world


@pytest.fixture
def odbc_world(tmp_path):
    odbc = Odbc(tmp_path / "sql.db")
    world = SqlWorld(odbc.path, sql_metrics_at(odbc.path, odbc), odbc)
    world.make()
    return world


@pytest.fixture(params=["fake", "sqlite", "odbc"])
def world(request):
    if request.param != "fake":
        return request.getfixturevalue(f"{request.param}_world")
    world = FakeWorld(FakeMetrics())
    world.make()
    return world


@pytest.fixture
def metrics(world):
    return world.metrics
