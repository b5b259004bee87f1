"""Windows that are stopped by HTTP while they run."""

from datetime import datetime, timedelta

import pytest

from tests.e2e.running_app import times
from tests.e2e.waiting import until

FEEDS = ("trades", "payments")
# Left alone, the running slice of payments would go on for longer than that.
PROMPTLY = timedelta(seconds=5)


@pytest.fixture(scope="module")
def answers(app):
    """The answers to stopping both windows a second after their start, long before their end."""
    ids = app.open(*FEEDS, seconds=60)
    until(times(app.window(ids[0]))[0] + timedelta(seconds=1))
    return {feed: app.call("DELETE", f"/api/windows/{one}") for feed, one in zip(FEEDS, ids, strict=True)}


@pytest.fixture(scope="module")
def windows(app, answers):
    return {feed: app.ended(answer.json()["id"]) for feed, answer in answers.items()}


@pytest.mark.parametrize("feed", FEEDS)
def test_stop_is_accepted_and_shown(answers, feed):
    assert answers[feed].status_code == 202
    assert answers[feed].json()["stop_at"]


@pytest.mark.parametrize("feed", FEEDS)
def test_stopped_window_ends_stopped_and_skips_what_never_began(windows, feed):
    window = windows[feed]

    assert window["state"] == "stopped"
    assert set(window["result"]["slices"]) == {"done", "skipped"}
    assert window["result"]["slices"]["skipped"] >= 4


def test_running_slices_of_trades_bring_their_end_forward_to_the_stop(windows):
    first = windows["trades"]["slices"][0]["report"]["slice"]

    assert datetime.fromisoformat(first["end"]) == datetime.fromisoformat(windows["trades"]["stop_at"])


def test_running_slice_of_payments_sends_no_more_than_it_had(windows):
    first = windows["payments"]["slices"][0]

    assert 0 < first["counts"]["transactions"]["accepted"] < 10 * windows["payments"]["plan"]["rate"]


@pytest.mark.parametrize("feed", FEEDS)
def test_running_slices_end_promptly(windows, feed):
    stopped = datetime.fromisoformat(windows[feed]["stop_at"])
    ends = [datetime.fromisoformat(row["updated_at"]) for row in windows[feed]["slices"] if row["state"] == "done"]

    assert max(ends) - stopped < PROMPTLY


@pytest.fixture(scope="module")
def keys(app, windows):
    """The keys that the hubs hold of each window."""
    records = app.records(*windows.values())
    return {feed: {record.key for record in records[window["id"]]} for feed, window in windows.items()}


def test_all_trades_until_the_stop_are_sent(app, windows, keys):
    source = app.source(windows["trades"])

    assert source.count > 0
    assert keys["trades"] >= source.keys


def test_all_payments_until_the_stop_are_sent(app, windows, keys):
    assert len(keys["payments"]) >= app.source(windows["payments"]).count > 0


@pytest.mark.parametrize(("feed", "stream"), [("trades", "trades"), ("payments", "transactions")])
def test_counts_of_a_stopped_window_agree_with_the_hub(windows, keys, feed, stream):
    assert windows[feed]["result"]["counts"][stream]["accepted"] == len(keys[feed])


def test_a_stopped_window_that_is_stopped_again_is_answered_the_same(app, windows):
    answer = app.call("DELETE", f"/api/windows/{windows['trades']['id']}")

    assert answer.status_code == 202
    assert answer.json()["state"] == "stopped"
