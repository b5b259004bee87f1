"""Runs that follow live windows: one that opens while the topic is down, two in a row, one that is stopped early."""

from datetime import datetime, timedelta

import pytest

from tests.e2e.enriching import seconds_between
from tests.e2e.running_app import SECOND, planned, times
from tests.e2e.waiting import eventually, until

pytestmark = pytest.mark.usefixtures("lookups", "killed_spark")

LENGTH = timedelta(seconds=8)
# From before the opening until after the try at it that began before the window's end: 6 + 5 s, and 20 s a try.
DOWN_SECONDS = 35


@pytest.fixture(scope="module")
def unannounced(enrichment):
    """A window that opens and closes while the topic is down."""
    enrichment.app.fault("event_grid", "topic_down", seconds=DOWN_SECONDS)
    (window_id,) = enrichment.app.open("payments", seconds=5)
    enrichment.app.ended(window_id)
    eventually(lambda: "closed" in enrichment.app.window(window_id)["announced"], f"{window_id} was announced")
    return enrichment.app.window(window_id)


def test_topic_that_is_down_delays_no_slice_and_no_closing(unannounced):
    (part,) = unannounced["slices"]

    assert (unannounced["state"], part["state"], part["attempt"]) == ("closed", "done", 1)
    assert part["started_at"] <= unannounced["start"]
    assert seconds_between(unannounced["end"], unannounced["closed_at"]) < 30


def test_publishing_is_tried_again_until_the_topic_is_back_and_recorded(enrichment, unannounced):
    announced = unannounced["announced"]

    assert announced["postponed"] < announced["opened"] < announced["closed"]
    assert datetime.fromisoformat(announced["opened"]) > datetime.fromisoformat(unannounced["closed_at"])
    assert [one["status"] for one in enrichment.deliveries(unannounced["id"])] == [202]


def test_run_of_a_window_that_was_announced_too_late_catches_up(enrichment, unannounced):
    assert enrichment.ended(unannounced["id"])["state"] == "succeeded"


@pytest.fixture(scope="module")
def in_a_row(enrichment):
    """Two windows back to back, the second one stopped two seconds after its start, a minute before its end."""
    (first,) = enrichment.app.open("payments", seconds=int(LENGTH.total_seconds()))
    _, start = planned(enrichment.app.window(first))
    second = enrichment.app.post("payments", start, timedelta(minutes=1)).json()["windows"][0]["id"]
    until(start + 2 * SECOND)
    assert enrichment.app.call("DELETE", f"/api/windows/{second}").status_code == 202
    runs = [enrichment.ended(window_id) for window_id in (first, second)]
    return [enrichment.app.window(window_id) for window_id in (first, second)], runs


def test_runs_of_windows_back_to_back_end_by_themselves_and_none_is_cancelled(enrichment, in_a_row):
    windows, runs = in_a_row

    assert [window["state"] for window in windows] == ["closed", "stopped"]
    assert [(run["state"], run["message"]) for run in runs] == [
        ("succeeded", "TERMINATED SUCCESS (SUCCESS, SUCCESS)")
    ] * 2
    assert [one["code"] for window in windows for one in enrichment.in_databricks(window["id"])] == ["SUCCESS"] * 2
    assert "databricks.run_cancelled" not in enrichment.databricks_log()


def test_second_run_is_claimed_while_the_first_one_drains_and_begins_when_that_has_ended(enrichment, in_a_row):
    windows, runs = in_a_row

    log = enrichment.databricks_log()
    assert runs[1]["claimed_at"] < windows[0]["closed_at"]
    assert runs[1]["run_id"] > runs[0]["run_id"]
    assert 0 < log.find(f"run_ended run={runs[0]['run_id']} ") < log.find(f"run_taken run={runs[1]['run_id']} ")


def test_run_of_a_window_that_was_stopped_early_ends_within_a_minute_of_its_marker(enrichment, in_a_row):
    windows, runs = in_a_row

    assert enrichment.marker(windows[1]["id"])["end"] == times(windows[1])[1].isoformat()
    assert times(windows[1])[1] + timedelta(seconds=40) < planned(windows[1])[1]
    assert seconds_between(windows[1]["closed_at"], runs[1]["updated_at"]) < 60
