"""All timers of the app, on fakes of what it meets but for its database, at a clock that a test moves on."""

import asyncio
import inspect
import json
import logging
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from types import SimpleNamespace

from shared.clients.databricks_jobs.fake import FakeJobs
from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.identity.fake import FakeIdentity
from shared.clients.storage.export_progress import TableExportProgress
from shared.clients.storage.exported_files import ExportedFiles
from shared.clients.storage.fake import FakeDrawnFiles, FakeLake, FakeLedger, FakeReference, FakeRunLedger, FakeTables
from shared.clients.storage.fake_spill import FakeSpill
from shared.clients.storage.promotion_users import TablePromotionUsers
from shared.clients.storage.recent_views import TableRecentViews
from shared.clients.storage.view_alerts import TableViewAlerts
from shared.domain.ncrontab import plain_cron
from shared.errors import IngestionError
from shared.services import Services
from shared.settings.model import read_settings
from shared.telemetry import LIBRARIES
from tests.architecture.tree import text

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
LEAST = {
    "EVENT_HUBS__fullyQualifiedNamespace": "name.servicebus.windows.net",
    "EVENT_HUBS__credential": "managedidentity",
    "AzureWebJobsStorage__accountName": "account",
    "DATABRICKS__host": "https://adb.example",
    "ALERT_INGESTION_URL": "https://prod-1.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=s",
    "AzureWebJobs.alert_of_pageviews.Disabled": "false",
    "AzureWebJobs.alert_of_stars.Disabled": "false",
    "AzureWebJobs.promote_points.Disabled": "false",
}
FEEDS = ("TRADES", "PAYMENTS", "GPS", "CALL_CENTRE", "SHOP")
AT_NIGHT = {f"{feed}_WINDOW_{part}": value for feed in FEEDS for part, value in (("EVERY", "24:00:00"),)}
"""Windows once a day, at midnight: none is due around noon."""


class Timers:
    """The app's timers, which tick as their schedules say."""

    def __init__(self, monkeypatch, folder, **settings):
        self.now = NOON
        clock = lambda: self.now  # noqa: E731
        environment = LEAST | AT_NIGHT | {"POOLS_FOLDER": str(folder)} | settings
        self.settings = read_settings(environment, json.loads(text("host.json")))
        self.reference, self.ledger, self.runs = FakeReference(clock), FakeLedger(), FakeRunLedger()
        self.progress = TableExportProgress(FakeTables())
        self.services = Services().replace(
            settings=self.settings,
            clock=clock,
            ledger=self.ledger,
            runs=self.runs,
            reference=self.reference,
            spill=FakeSpill(clock),
            hubs=FakeEventHubs({}),
            jobs=FakeJobs({"follow_window": 1}, clock=clock),
            identity=FakeIdentity(),
            lake=FakeLake(),
            drawn_files=FakeDrawnFiles(),
            exported_files=ExportedFiles(FakeReference(clock)),
            export_progress=self.progress,
            view_alerts=TableViewAlerts(FakeTables()),
            recent_views=TableRecentViews(FakeTables()),
            promotion_users=TablePromotionUsers(FakeTables(), timedelta(days=1)),
        )
        self.orchestrations = FakeOrchestrations()
        self._timers = _timers()
        self.ticks = {one.get_function_name(): 0 for one in self._timers}
        self._use(monkeypatch)

    def _use(self, monkeypatch):
        """Hand these services to every blueprint that asks for any."""
        for name in {each.get_user_function().__module__ for each in self._timers}:
            module = import_module(name)
            monkeypatch.setattr(module, "services", lambda: self.services)
            if hasattr(module, "DurableOrchestrations"):
                monkeypatch.setattr(module, "DurableOrchestrations", lambda _: self.orchestrations)

    def run(self, time):
        """Let time pass; each timer ticks when it is due."""
        end = self.now + time
        while self.now < end:
            for timer in self._timers:
                if _is_due(self._schedule(timer), self.now):
                    self.ticks[timer.get_function_name()] += 1
                    with suppress(IngestionError):  # the host says that the function failed
                        _call(timer.get_user_function())
            self.now += timedelta(seconds=5)

    def _schedule(self, timer):
        named = timer.get_trigger().schedule
        return "0 * * * * *" if named == "%WINDOW_TIMER%" else named


@cache
def _timers():
    """List them once: asked twice, an app takes its own functions for others of the same names."""
    with _as_loud_as_before():
        import function_app  # which quietens libraries, and other tests read what those say

    return [one for one in function_app.app.get_functions() if one.get_trigger().type == "timerTrigger"]


@contextmanager
def _as_loud_as_before():
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _is_due(schedule, now):
    second, minute, *others = plain_cron(schedule).split()
    assert others == ["*"] * 4, f"{schedule} is of a shape that these timers do not know"
    every = int(minute.partition("/")[2] or 1)
    return now.second == int(second) and now.minute % every == 0


def _call(function):
    function = getattr(function, "client_function", function)
    arguments = [SimpleNamespace(past_due=False), "client"][: len(inspect.signature(function).parameters)]
    done = function(*arguments)
    if inspect.isawaitable(done):
        asyncio.run(_finished(done))


async def _finished(done):
    await done
