"""Two windows in a row through real Spark, whose process is killed in the middle of the first one."""

import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.e2e.enriching import Enrichment
from tests.e2e.running_app import Grid, planned, running_app
from tests.e2e.waiting import eventually

RATE = 50
LENGTHS = (15, 5)
HUBS = {"trades": "market-trades", "transactions": "card.transactions_2"}
"""No hub is called like its stream: a run that looked for one of the stream's name would find none."""

_SETTINGS = {
    "FEEDS": "payments",
    **{f"{stream.upper()}_HUB": hub for stream, hub in HUBS.items()},
    "PAYMENTS_SLICE_LENGTH": "00:00:10",
    "PAYMENTS_LEAD": "00:00:03",
    "PAYMENTS_RATE": str(RATE),
}


@dataclass(frozen=True)
class Killed:
    """Both windows after their runs, their runs as the Jobs service knows them, and what that has logged."""

    windows: list[dict[str, Any]]
    known: list[dict[str, Any]]
    log: str


def tell_of_killed_spark(folder: Path) -> Killed:
    """Run an app of its own; the first window's Spark is killed once it has written its first bronze rows."""
    grid = Grid.beginning(datetime.now(UTC) + timedelta(hours=12), timedelta(days=1), timedelta(seconds=10))
    settings = _SETTINGS | grid.settings(("PAYMENTS",))
    hubs = ",".join(f"{hub}:4" for hub in HUBS.values())
    with running_app(folder, grid, settings, hubs=hubs, with_enrichment=True) as app:
        enrichment = Enrichment(app)
        (first,) = app.open("payments", seconds=LENGTHS[0])
        end = planned(app.window(first))[1]
        second = app.post("payments", end, timedelta(seconds=LENGTHS[1])).json()["windows"][0]["id"]
        task = eventually(lambda: _with_bronze(enrichment, first), f"{first} has bronze rows", within=180)
        os.killpg(task["pid"], signal.SIGKILL)
        for window_id in (first, second):
            enrichment.ended(window_id, within=240)
        windows = [app.window(window_id) for window_id in (first, second)]
        known = [run for window in windows for run in enrichment.in_databricks(window["id"])]
        return Killed(windows, known, enrichment.databricks_log())


def _with_bronze(enrichment: Enrichment, window_id: str) -> dict[str, Any] | None:
    """Give the task of the window's run once its log tells of bronze rows."""
    for run in enrichment.in_databricks(window_id):
        (task,) = run["tasks"]
        log = Path(task["log"])
        if task["pid"] and log.exists() and "stage=bronze" in log.read_text(encoding="utf-8", errors="replace"):
            return task
    return None
