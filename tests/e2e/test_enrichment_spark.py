"""Two windows in a row through real Spark, whose process is killed in the middle of the first one."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.e2e.enriching import needs_spark
from tests.e2e.killing_spark import HUBS, LENGTHS, RATE

pytestmark = [needs_spark, pytest.mark.timeout(500)]


@pytest.fixture(scope="module")
def killed(killed_spark):
    return killed_spark.result()


def test_killed_run_is_tried_again_by_databricks_and_both_runs_end_by_themselves(killed):
    runs = [run for window in killed.windows for run in window["enrichment"]["runs"]]

    assert [(run["number"], run["state"]) for run in runs] == [(1, "succeeded")] * 2
    logs = [Path(run["tasks"][0]["log"]).name for run in killed.known]
    assert logs == ["follow_window.1.log", "follow_window.0.log"]
    assert "databricks.run_cancelled" not in killed.log


@pytest.mark.parametrize("turn", range(2))
def test_hub_that_is_not_called_like_its_stream_is_the_one_that_is_read(killed, turn):
    window = killed.windows[turn]
    run = next(run for run in killed.known if run["parameters"]["window_id"] == window["id"])
    (planned,) = window["plan"]["streams"]
    (given,) = json.loads(run["parameters"]["streams"])

    assert planned["hub"] == given["hub"] == HUBS["transactions"]
    assert datetime.fromisoformat(given["created_at"]) < datetime.fromisoformat(window["start"])
    assert window["enrichment"]["counts"]["transactions"]["bronze_records"] >= RATE * LENGTHS[turn]


@pytest.mark.parametrize("turn", range(2))
def test_counts_of_both_windows_are_balanced_from_the_feed_to_silver(killed, turn):
    window = killed.windows[turn]
    stages = window["enrichment"]["counts"]["transactions"]

    accepted = window["result"]["counts"]["transactions"]["accepted"]
    assert (window["state"], window["enrichment"]["reconciliation"]) == ("closed", "balanced"), stages
    assert accepted == stages["silver_new"] == RATE * LENGTHS[turn]
    assert stages["bronze_records"] == stages["silver_new"] + stages["duplicates"] + stages["quarantined"]
