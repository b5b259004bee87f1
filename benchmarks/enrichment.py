"""From an opening's event to a run that Databricks has accepted, with a lookup of 2,000 assets, on a warm host."""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import requests

from benchmarks.interleaved import Row
from local.platform.ports import Ports
from local.platform.running import Running
from local.platform.services import Choices
from local.platform.starting import running_platform
from shared.clients.databricks_jobs.jobs import SCOPE
from shared.clients.event_grid.topic import EventGridTopic
from shared.clients.identity.credentials import ServicePrincipal, make_identity
from shared.clients.identity.fake import FakeIdentity
from shared.clients.storage.account import Account
from shared.clients.storage.windows import table_ledger
from shared.domain.windows.announcement import opening
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window

WARM_UP, ONE_BY_ONE, TOGETHER = 5, 40, 20
AT_ONCE = 4
MOST_SECONDS = 2.0
ASSETS = 2_000
SETTINGS = {"FEEDS": "trades", "WINDOW_TIMER": "0 0 0 1 1 *"}
"""The timer never strikes: the only windows are those that are put into the ledger here."""

PHASES = (
    "published until delivery begins",
    "delivery: ledger read, orchestration started",
    "claim, lookup and run-now",
)
HOUR = timedelta(hours=1)
PROJECT = """
[project]
name = "lakehouse"
version = "0"

[project.scripts]
follow-window = "nothing:to_do"
"""
BUNDLE = Path(__file__).resolve().parents[1] / "databricks"
_LOOK_EVERY = 0.05
_MOST_SECONDS_TO_WAIT = 60.0


def rows() -> list[Row]:
    """Publish openings one after another, then a few at a time; the Jobs service's own clock says when it accepted."""
    with tempfile.TemporaryDirectory(prefix="enrichment-") as folder:
        alone, together = asyncio.run(_measured(Path(folder)))
    return [
        _row("one after another", alone, MOST_SECONDS),
        _row(f"{AT_ONCE} at once", together, None),
    ]


def _row(how: str, seconds: Sequence[float], bar: float | None) -> Row:
    note = f"median {median(seconds):.2f} s, most {max(seconds):.2f} s of {len(seconds)} events"
    return Row(
        f"event → run accepted, {how}, p95 s", f"{ASSETS:,} assets served at once", _p95(seconds), bar, True, note
    )


def _p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20, method="inclusive")[-1]


async def _measured(folder: Path) -> tuple[list[float], list[float]]:
    arguments = {"databricks": light_bundle(folder / "bundle"), "exchange": ["--assets-count", str(ASSETS)]}
    choices = Choices(ports=Ports.free(), with_enrichment=True, settings=SETTINGS, arguments=arguments)
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(running_platform(folder / "state", choices, clear=True))
        return await asyncio.to_thread(_both_ways, MeasuredPlatform(platform.running))


def _both_ways(measured: "MeasuredPlatform") -> tuple[list[float], list[float]]:
    windows = measured.windows(WARM_UP + ONE_BY_ONE + TOGETHER)
    measured.accept([next(windows) for _ in range(WARM_UP)], at_once=1)
    alone = measured.accept([next(windows) for _ in range(ONE_BY_ONE)], at_once=1)
    measured.show_phases(alone)
    together = measured.accept(list(windows), at_once=AT_ONCE)
    return list(measured.latencies(alone)), list(measured.latencies(together))


@dataclass
class MeasuredPlatform:
    """The running platform: its ledger is written to, its topic published to, its Jobs service asked."""

    running: Running
    _web: requests.Session = field(default_factory=requests.Session)

    def windows(self, count: int) -> Iterator[Window]:
        """Put open windows into the ledger, of hours long past, and give each as soon as it is there."""
        connection = self.running.addresses["storage"]["connection_string"]
        ledger = table_ledger(Account(connection, "", FakeIdentity()))
        now = datetime.now(UTC).replace(microsecond=0)
        first = now.replace(minute=0, second=0) - (count + 24) * HOUR
        stream = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 2)
        template = PlanTemplate(HOUR, timedelta(), timedelta(), 0.0, 1.0, (), (stream,))
        for number in range(count):
            window = Window("trades", first + number * HOUR, first + (number + 1) * HOUR)
            plan = template.freeze(window, now, "", {"trades": 2}).as_wire()
            ledger.claim(WindowRow(window, "open", "timer", now, plan, opened_at=now))
            yield window

    def accept(self, windows: Sequence[Window], *, at_once: int) -> dict[str, float]:
        """Publish the openings in groups, each group when the runs of the last are there; give when each went out."""
        topic = EventGridTopic(
            self.running.addresses["event_grid"]["topic"],
            self.running.state.topic_key.read_text(encoding="utf-8"),
            ca_bundle=str(self.running.state.authority),
        )
        published = {}
        for start in range(0, len(windows), at_once):
            group = windows[start : start + at_once]
            for window in group:
                published[window.id] = time.time()
                topic.publish(opening(window))
            self._wait_for_runs(group)
        return published

    def latencies(self, published: dict[str, float]) -> Iterator[float]:
        """Give the seconds from each publishing to the acceptance of its run."""
        accepted = self._accepted()
        return (accepted[window_id] - went_out for window_id, went_out in published.items())

    def show_phases(self, published: dict[str, float]) -> None:
        """Print where the time went."""
        deliveries = {one["event_id"]: one for one in self._admin("event_grid", "/deliveries")["deliveries"]}
        delivered = {name: datetime.fromisoformat(one["began"]).timestamp() for name, one in deliveries.items()}
        answered = {name: delivered[name] + one["seconds"] for name, one in deliveries.items()}
        times = (published, delivered, answered, self._accepted())
        for name, begin, end in zip(PHASES, times, times[1:], strict=False):
            spans = [end[window_id] - begin[window_id] for window_id in published]
            print(f"event to run | {name}: median {median(spans):.3f} s, p95 {_p95(spans):.3f} s")

    def _wait_for_runs(self, windows: Sequence[Window]) -> None:
        missing, deadline = {window.id for window in windows}, time.monotonic() + _MOST_SECONDS_TO_WAIT
        while missing:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no run was accepted for {', '.join(sorted(missing))}")
            time.sleep(_LOOK_EVERY)
            missing -= {run["parameters"]["window_id"] for run in self._admin("databricks", "/runs")["runs"]}

    def _accepted(self) -> dict[str, float]:
        """Ask the Jobs API when it took each window's run."""
        name_of = {run["run_id"]: run["parameters"]["window_id"] for run in self._admin("databricks", "/runs")["runs"]}
        return {name_of[run["run_id"]]: run["start_time"] / 1000 for run in self._all_runs()}

    def _all_runs(self) -> Iterator[dict[str, Any]]:
        client = self.running.identities.client_in_role("Sender")
        authority, trust = self.running.addresses["entra"]["authority"], str(self.running.state.authority)
        who = ServicePrincipal(
            self.running.identities.tenant, client.client_id, client.secret, authority, ca_bundle=trust
        )
        headers = {"Authorization": f"Bearer {make_identity(who).token(SCOPE).value}"}
        address, page = f"{self.running.addresses['databricks']['workspace']}/api/2.2/jobs/runs/list", ""
        while page is not None:
            asked = {"limit": "25"} | ({"page_token": page} if page else {})
            answer = self._web.get(address, params=asked, headers=headers, timeout=10, verify=trust)
            answer.raise_for_status()
            yield from answer.json()["runs"]
            page = answer.json().get("next_page_token")

    def _admin(self, service: str, path: str) -> Any:
        answer = self._web.get(f"{self.running.addresses[service]['admin']}{path}", timeout=10)
        answer.raise_for_status()
        return answer.json()


def light_bundle(folder: Path) -> Sequence[str]:
    """Make a bundle of the real job definitions whose program ends at once; give the Jobs service's words for it."""
    (folder / "src").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (folder / "src/nothing.py").write_text("def to_do(): pass\n", encoding="utf-8")
    shutil.copytree(BUNDLE / "resources", folder / "resources")
    shutil.copy(BUNDLE / "databricks.yml", folder)
    return ["--bundle", str(folder), "--python", sys.executable]
