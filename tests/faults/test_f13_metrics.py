"""F13: a Data Factory that posts again, a database and a Logic App that fail, hostile requests, and the log."""

import asyncio
import json
import logging
import random

import pytest

from blueprints import metrics
from shared.clients.storage.windows import TableLedger
from shared.domain.volumes.alert_address import alert_url
from tests.faults.metrics import TABLES, Measuring, behaviours
from tests.hostile_tables import HOSTILE_TABLES
from tests.hostile_urls import HOSTILE_URLS, HOSTS
from tests.integration.metrics_client.conftest import NOON, SqlWorld, sql_metrics_at
from tests.integration.metrics_client.odbc_standin import Odbc

LONGEST = 200
CANARIES = ("CANARY", "sig=", "t0ken")
SECRET = "https://prod-1.westeurope.logic.azure.com/workflows/1?sig=CANARY-IN-BODY"


@pytest.fixture
def world(tmp_path):
    odbc = Odbc(tmp_path / "sql.db")
    world = SqlWorld(odbc.path, sql_metrics_at(odbc.path, odbc), odbc)
    world.make()
    return world


@pytest.fixture
def measuring(world, place, tables, monkeypatch):
    """Let the metrics function measure, with a peer for its Logic App."""

    def begin(peer, rolled):
        begun = Measuring(world, place.sender(peer, seconds=5), TableLedger(tables), rolled)
        monkeypatch.setattr(metrics, "services", lambda: begun.services)
        return begun

    return begin


def an_object(answer):
    return isinstance(json.loads(answer.get_body()), dict) and answer.mimetype == "application/json"


def in_log(caplog):
    lines = [logging.Formatter().format(record) + str(vars(record)) for record in caplog.records]
    return [line for line in lines if any(canary in line for canary in CANARIES)]


def test_each_run_of_a_table_brings_one_notification(measuring, place, sized, figures, caplog):
    caplog.set_level(logging.DEBUG)
    runs, rolled = sized(14, 100), random.Random(13)
    with place.peer(*behaviours(rolled, 3 * runs)) as peer:
        world = measuring(peer, rolled)
        for number in range(runs):
            asyncio.run(world.measure(number))
            world.send_pending()

    recorded = [one for table in TABLES for one in world.recorded(table, 10 * runs)]
    notified = {tuple(alert_id.split(":")[:2]) for alert_id in peer.effects}
    due = {(one.request.table, one.request.run_id) for one in recorded if one.alert != "none"}
    assert len(due) > runs
    assert len(peer.requests) > len(peer.effects)
    assert world.broken > runs
    figures.all_of("runs of a table that were recorded once", len(recorded), len(TABLES) * runs)
    figures.all_of("runs with something to tell, notified", len(due & notified), len(due))
    figures.exactly("notifications beyond the first of a run and table", len(peer.effects) - len(due), 0)
    figures.all_of("answers that are a JSON object", sum(map(an_object, world.answers)), len(world.answers))
    figures.at_most("slowest answer", world.slowest, LONGEST, "s")
    figures.exactly("lines of the log that show a secret", len(in_log(caplog)), 0)


def test_hostile_requests_are_refused_in_an_object_and_leave_nothing(measuring, place, figures, caplog):
    caplog.set_level(logging.DEBUG)
    body = {"table": "trades", "run_id": "r1", "ingestion_time": NOON.isoformat()}
    with place.peer() as peer:
        world = measuring(peer, random.Random(0))
        urls = [asyncio.run(world.send({**body, "logic_app_url": url})) for url in (*HOSTILE_URLS, SECRET)]
        names = [asyncio.run(world.send({**body, "table": name})) for name in HOSTILE_TABLES]
        arrivals = peer.arrivals

    assert [arrivals, world.statements] == [0, []]
    figures.all_of("hostile URLs refused in a request", sum(map(refused, urls)), len(urls))
    figures.all_of("hostile URLs refused in a setting", sum(map(refused_setting, HOSTILE_URLS)), len(HOSTILE_URLS))
    figures.all_of("hostile names of tables refused", sum(map(refused, names)), len(names))
    figures.exactly("lines of the log that show a secret of a request", len(in_log(caplog)), 0)


def refused(answer):
    return answer.status_code == 400 and an_object(answer)


def refused_setting(url):
    try:
        alert_url(url, hosts=HOSTS)
    except ValueError:
        return True
    return False
