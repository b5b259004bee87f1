"""What a person, a probe of the plan, and an availability test see of the app's health."""

import json
from datetime import UTC, datetime

import azure.functions as func
import pytest

from blueprints import health
from shared.clients.databricks_jobs.fake import FakeJobs
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.services import Services
from shared.settings.model import read_settings
from tests.architecture.app_on_fakes import LEAST
from tests.architecture.tree import text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SET = LEAST | {
    "FEEDS": "payments",
    "DATABRICKS__host": "https://adb-1.2.azuredatabricks.net",
    "SQL__url": "mssql://server.database.windows.net/db",
}


class App:
    """The app with fakes of what it is connected to, asked as the host asks it."""

    def __init__(self, monkeypatch, **changes):
        self.hubs, self.jobs = FakeEventHubs({"transactions": 4}), FakeJobs({"follow_window": 7})
        settings = read_settings(SET | changes, json.loads(text("host.json")))
        self.services = Services().replace(
            settings=settings,
            clock=lambda: NOON,
            ledger=FakeLedger(),
            reference=FakeReference(lambda: NOON),
            hubs=self.hubs,
            jobs=self.jobs,
        )
        monkeypatch.setattr(health, "services", lambda: self.services)

    async def ask(self, function):
        answered = await function.build().get_user_function()(func.HttpRequest("GET", "/api/health", body=b""))
        return answered.status_code, json.loads(answered.get_body())


@pytest.fixture
def app(monkeypatch):
    return App(monkeypatch)


async def test_an_app_whose_dependencies_answer_is_ready(app):
    status, body = await app.ask(health.get_health)

    assert (status, body["state"]) == (200, "ready")
    assert {name: one["state"] for name, one in body["dependencies"].items()} == {
        "feeds": "ready",
        "storage_tables": "ready",
        "storage_blobs": "ready",
        "event_hubs": "ready",
        "databricks": "ready",
        "sql": "not_asked",
    }
    assert body["dependencies"]["event_hubs"] == {
        "state": "ready",
        "reason": None,
        "asked_seconds_ago": 0.0,
        "ready_seconds_ago": 0.0,
    }


async def test_a_hub_that_is_away_makes_it_503_and_hides_no_other(app):
    app.hubs.away.add("transactions")

    status, body = await app.ask(health.get_health)

    assert (status, body["state"]) == (503, "not_ready")
    failed = {name for name, one in body["dependencies"].items() if one["state"] == "failed"}
    assert failed == {"event_hubs"}
    assert "transactions" in body["dependencies"]["event_hubs"]["reason"]


async def test_a_job_that_is_not_there_is_named(app):
    app.jobs.jobs.clear()

    _, body = await app.ask(health.get_health)

    assert "follow_window" in body["dependencies"]["databricks"]["reason"]


async def test_what_is_not_set_is_not_named(monkeypatch):
    app = App(monkeypatch, DATABRICKS__host="", SQL__url="")

    _, body = await app.ask(health.get_health)

    assert list(body["dependencies"]) == ["feeds", "storage_tables", "storage_blobs", "event_hubs"]


async def test_liveness_asks_nothing(app):
    app.hubs.away.add("transactions")

    assert await app.ask(health.get_liveness) == (200, {"state": "alive"})
