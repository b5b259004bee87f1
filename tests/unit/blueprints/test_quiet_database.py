"""A serverless database pauses when it is left alone for an hour: no timer of the app may keep it awake."""

import asyncio
import sys
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from shared.clients.logic_app.fake import FakeLogicApp
from shared.contracts import load_contract
from shared.domain.delivery import Event
from shared.domain.exports import Exported
from shared.domain.volumes.alert import RunIncident
from shared.flows.pending_alerts import FOLDER
from shared.flows.send_alerts import raise_alert
from tests.unit.blueprints.timers import NOON, Timers
from tests.unit.shared.clients.sql.test_database import Odbc

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ORDER = (
    b'{"order_id":"00000001-0000-8000-8000-000000000000","user_id":1,'
    b'"order_date":"2026-11-27T11:59:59.123Z","order_value":10.50}'
)


@pytest.fixture
def transactions(monkeypatch):
    """Give the list in which each transaction of any database is noted, by a clock that a test puts there first."""
    noted = []
    listen = lambda _: noted.append(noted[0]())  # noqa: E731
    event.listen(Engine, "begin", listen)
    yield noted
    event.remove(Engine, "begin", listen)


@pytest.fixture
def odbc(monkeypatch):
    """Stand in for pyodbc: it counts connections, and refuses each for good."""
    module = Odbc(Odbc.Error("42000", "no"))
    monkeypatch.setitem(sys.modules, "pyodbc", module)
    return module


def test_an_hour_without_a_window_opens_no_connection(monkeypatch, tmp_path, odbc):
    timers = Timers(monkeypatch, tmp_path, SQL__url="mssql://sql.example/enrichment")
    for stream in ("items", "orders"):
        timers.progress.move(stream, Exported(), Exported(7, NOON - HOUR))

    timers.run(HOUR)

    assert odbc.calls == []
    assert min(timers.ticks.values()) >= 12, "every timer ticked"


@pytest.mark.parametrize("work", ["rows", "alert"])
def test_an_hour_with_something_to_do_opens_some(monkeypatch, tmp_path, odbc, work):
    timers = Timers(monkeypatch, tmp_path, SQL__url="mssql://sql.example/enrichment")
    if work == "rows":
        timers.progress.note_change("orders", NOON)
    else:
        timers.reference.write(f"{FOLDER}an-alert", b"")

    timers.run(2 * MINUTE)

    assert odbc.calls


def test_after_a_window_with_an_alert_the_database_is_left_alone_for_good(monkeypatch, tmp_path, transactions):
    url = f"sqlite:///{tmp_path / 'enrichment.db'}"
    timers = Timers(monkeypatch, tmp_path, SQL__url=url, ONE_MACHINE="true")
    transactions.append(lambda: timers.now)
    timers.run(5 * MINUTE)

    ended = end_a_window(timers)
    timers.run(5 * HOUR)

    last = max(transactions[1:])
    assert last > ended, "what was written is exported"
    assert last - ended <= 2 * HOUR, "once when it is due, once for what was under way then"


def end_a_window(timers):
    """Write an order as a slice does, and raise an alert as the window's run does; gives when."""
    app = timers.services
    sent = app.destination_tools.rows(load_contract("orders/1")).send([Event(ORDER, 1, {})])
    assert asyncio.run(sent).accepted == 1
    tools, incident = app.metrics_tools, RunIncident("run_failed", "trades", "ingestion", "run-1", NOON, "It failed.")
    assert raise_alert(tools.metrics, FakeLogicApp(), incident, tools.clock, tools.quiet) == "sent"
    return timers.now
