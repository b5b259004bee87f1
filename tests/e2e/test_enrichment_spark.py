"""Two windows in a row through real Spark, whose process is killed in the middle of the first one."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.platform.enrichment import lakehouse_is_installed
from local.platform.services import LAKEHOUSE_PYTHON
from tests.e2e.enriching import Enrichment
from tests.e2e.house import Grid, planned, running_house
from tests.e2e.waiting import eventually

pytestmark = [
    pytest.mark.skipif(
        not lakehouse_is_installed(LAKEHOUSE_PYTHON), reason="the lakehouse is not installed: scripts/setup-lakehouse"
    ),
    pytest.mark.timeout(400),
]

_SETTINGS = {
    "FEEDS": "payments",
    "PAYMENTS_SLICE_LENGTH": "00:00:10",
    "PAYMENTS_LEAD": "00:00:03",
    "PAYMENTS_RATE": "50",
}
_LENGTHS = (15, 5)


@pytest.fixture(scope="module")
def enrichment(tmp_path_factory):
    grid = Grid.beginning(datetime.now(UTC) + timedelta(hours=12), timedelta(days=1), timedelta(seconds=10))
    settings = _SETTINGS | grid.settings(("PAYMENTS",))
    folder = tmp_path_factory.mktemp("e2e") / "spark"
    with running_house(folder, grid, settings, with_enrichment=True) as started:
        yield Enrichment(started)


@pytest.fixture(scope="module")
def windows(enrichment):
    """Both windows after their runs; the first one's Spark is killed once it has written its first bronze rows."""
    (first,) = enrichment.house.open("payments", seconds=_LENGTHS[0])
    end = planned(enrichment.house.window(first))[1]
    second = enrichment.house.post("payments", end, timedelta(seconds=_LENGTHS[1])).json()["windows"][0]["id"]
    task = eventually(lambda: with_bronze(enrichment, first), f"{first} has bronze rows", within=120)
    os.killpg(task["pid"], signal.SIGKILL)
    for window_id in (first, second):
        enrichment.ended(window_id, within=180)
    return [enrichment.house.window(window_id) for window_id in (first, second)]


def with_bronze(enrichment, window_id):
    """Give the task of the window's run once its log tells of bronze rows."""
    for run in enrichment.in_databricks(window_id):
        (task,) = run["tasks"]
        log = Path(task["log"])
        if task["pid"] and log.exists() and "stage=bronze" in log.read_text(encoding="utf-8", errors="replace"):
            return task
    return None


def test_killed_run_is_tried_again_by_databricks_and_both_runs_end_by_themselves(enrichment, windows):
    runs = [run for window in windows for run in window["enrichment"]["runs"]]
    known = [run for window in windows for run in enrichment.in_databricks(window["id"])]

    assert [(run["number"], run["state"]) for run in runs] == [(1, "succeeded")] * 2
    assert [Path(run["tasks"][0]["log"]).name for run in known] == ["follow_window.1.log", "follow_window.0.log"]
    assert "databricks.run_cancelled" not in enrichment.databricks_log()


@pytest.mark.parametrize("turn", range(2))
def test_counts_of_both_windows_are_balanced_from_the_feed_to_silver(windows, turn):
    window = windows[turn]
    stages = window["enrichment"]["counts"]["transactions"]

    accepted = window["result"]["counts"]["transactions"]["accepted"]
    assert (window["state"], window["enrichment"]["reconciliation"]) == ("closed", "balanced"), stages
    assert accepted == stages["silver_new"] == 50 * _LENGTHS[turn]
    assert stages["bronze_records"] == stages["silver_new"] + stages["duplicates"] + stages["quarantined"]
