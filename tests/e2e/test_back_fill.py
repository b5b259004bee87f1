"""Three past windows of each feed, asked for by HTTP: trades from the venues' history, payments drawn again."""

import itertools
from datetime import datetime

import pytest

from local.demo.verification import UNEXPLAINED

# Late deliveries take their time, and these tests do not wait for them.
pytestmark = pytest.mark.usefixtures("late_delivery")

FEEDS = ("trades", "payments")


@pytest.fixture(scope="module")
def asked(past):
    """The ids that were promised."""
    return {feed: [window["id"] for window in answer.json()["windows"]] for feed, answer in past.items()}


@pytest.fixture(scope="module")
def windows(app, asked):
    return {feed: [app.ended(one, within=110) for one in ids] for feed, ids in asked.items()}


@pytest.mark.parametrize("feed", FEEDS)
def test_past_time_becomes_the_windows_of_the_grid(app, asked, windows, feed):
    starts = [datetime.fromisoformat(window["start"]) for window in windows[feed]]

    assert len(asked[feed]) == 3
    assert starts == [app.grid.next_start(start) for start in starts]


@pytest.mark.parametrize("feed", FEEDS)
def test_past_windows_are_filled_in_order(windows, feed):
    turns = [(window["opened_at"], window["closed_at"]) for window in windows[feed]]

    assert turns == sorted(turns)
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(turns))


@pytest.fixture(scope="module")
def proofs(app, windows):
    return app.proofs(*windows["trades"], *windows["payments"])


@pytest.mark.parametrize("turn", range(6), ids=lambda turn: f"{FEEDS[turn // 3]}-{turn % 3}")
def test_past_window_is_complete(proofs, turn):
    proof = proofs[turn]

    assert proof.problems == ()
    assert proof.source == proof.distinct > 0
    assert UNEXPLAINED not in proof.duplicates


def test_trades_of_the_past_come_from_the_history(windows):
    origins = {
        origin
        for window in windows["trades"]
        for row in window["slices"]
        for market in row["report"]["markets"]
        for origin in market["sent"]
    }

    assert origins == {"rest"}
