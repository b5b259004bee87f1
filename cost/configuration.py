"""The case of the app's settings and of a deployment: what the model is asked about."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from croniter import croniter

from cost import assumed
from cost.case import Case, FeedCase, Plan
from cost.flows import Flows
from shared.domain.ncrontab import plain_cron
from shared.settings.feeds import FeedSettings
from shared.settings.host import host_values
from shared.settings.model import Settings, read_settings

ROOT: Final = Path(__file__).resolve().parents[1]

FEEDS: Final = ("trades",)
"""Those that `azd up` runs by default, as infra/variables.tf has them."""

_UNSAID: Final = {
    "FEEDS": ",".join(FEEDS),
    "EVENT_HUBS__fullyQualifiedNamespace": "namespace.servicebus.windows.net",
    "AzureWebJobsStorage__accountName": "account",
    "DATABRICKS__host": "https://workspace.azuredatabricks.net",
    "SQL__url": "mssql://server.database.windows.net/enrichment",
}
"""What settings must say, and no bill depends on; where nothing else is said, there is a workspace and a database."""

_OF_NO_MATTER: Final = {"EVENT_HUBS__credential": "managedidentity"}

_DAY: Final = 86_400
_OPENED: Final = "TradesStreamIngestion"
_LOOKS: Final = 2
"""How often Data Factory looks whether a window has closed: once before, once after."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is set up; the names and defaults are those of infra/variables.tf, memory in MB, the pause in minutes.

    trades: of all markets together, a second. data_factory: whether it opens the windows.
    """

    plan: Plan = "flex"
    instance_memory: int = 2048
    throughput_units: int = 1
    partitions: int = 4
    capture: bool = False
    private: bool = False
    cosmos: bool = False
    sql_pause_after: int = 60
    trades: float = assumed.TRADES_A_SECOND
    data_factory: bool = False


def settings_of(written: Mapping[str, str]) -> Settings:
    """Read the app's settings as the app does; a blank is as unsaid as a name that is absent. Raises SettingsError."""
    given = {name: value for name, value in written.items() if value.strip() or name not in _UNSAID}
    return read_settings(_UNSAID | given | _OF_NO_MATTER, _host_document())


def case_of(settings: Settings, deployment: Deployment) -> Case:
    """Put together a case; measures what each feed sends."""
    flows = Flows(deployment.partitions, deployment.trades)
    host, _ = host_values({}, _host_document())
    pause = deployment.sql_pause_after
    return Case(
        feeds=tuple(_feed_case(each, settings, flows) for each in settings.feeds.values()),
        timer_ticks=timer_ticks(settings_timer=_minutely(settings)),
        plan=deployment.plan,
        memory=deployment.instance_memory / 1024,
        throughput_units=deployment.throughput_units,
        capture=deployment.capture,
        private=deployment.private,
        cosmos_units=settings.prices.provisioned_units if deployment.cosmos else 0,
        pause_after=timedelta(minutes=pause) if pause >= 0 else None,
        export_every=settings.enrichment.export_every,
        polling=host.polling,
        factory_runs=activity_runs() if deployment.data_factory else 0,
    )


def _feed_case(each: FeedSettings, settings: Settings, flows: Flows) -> FeedCase:
    return FeedCase(
        schedule=each.schedule,
        slice_length=each.template.slice_length,
        lead=each.template.lead,
        grace=each.template.grace,
        streams=flows.of(each),
        packed=flows.of(each, packed=True),
        enriched=bool(each.job and settings.enrichment.databricks_host),
        daily=each.daily.gold_at is not None,
    )


def timer_ticks(settings_timer: str) -> int:
    """Count the ticks of all the app's timers in an hour; settings_timer: the schedule that is a setting."""
    schedules = [found for path in sorted((ROOT / "blueprints").glob("*.py")) for found in _schedules(path)]
    return round(sum(_ticks_of_day(settings_timer if "%" in one else one) for one in schedules) / 24)


def _schedules(path: Path) -> list[str]:
    """Read the schedules of the timers in a module of triggers."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    timers = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "timer_trigger"]
    named = [keyword.value for call in timers for keyword in call.keywords if keyword.arg == "schedule"]
    return [str(value.value) for value in named if isinstance(value, ast.Constant)]


def _ticks_of_day(schedule: str) -> int:
    begin = datetime(2026, 11, 2, tzinfo=UTC)
    ticks = croniter(plain_cron(schedule), begin - timedelta(seconds=1), second_at_beginning=True)
    count = 0
    while ticks.get_next(datetime) < begin + timedelta(seconds=_DAY):
        count += 1
    return count


def _minutely(settings: Settings) -> str:
    """Give a schedule that ticks as often as windows are looked for; the settings keep how often that is."""
    return f"0 */{max(1, round(settings.timer_period / timedelta(minutes=1)))} * * * *"


def _host_document() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    return found


def activity_runs() -> int:
    """Count the activity runs of a window that Data Factory opens, by its definition."""
    path = ROOT / "definitions/data_factory/pipeline" / f"{_OPENED}.json"
    activities = json.loads(path.read_text(encoding="utf-8"))["properties"]["activities"]
    loops = [one["typeProperties"]["activities"] for one in activities if one["type"] == "Until"]
    return len(activities) + _LOOKS * sum(map(len, loops))
