"""One window of each feed that the timer opened: through orchestration and hub, with fifty starters at once."""

import itertools
from datetime import UTC, datetime

import pytest

from local.demo.verification import UNEXPLAINED
from tests.e2e.running_app import LEAD, SECOND
from tests.e2e.waiting import eventually, until

FEEDS = ("trades", "payments")
# A start so slow that the first window of the grid is missed makes this wait for the next one.
pytestmark = pytest.mark.timeout(480)


class Watch:
    """What was seen of the windows while they ran: how many slices at once, and how each ended."""

    def __init__(self, app, windows):
        self.app, self.windows, self.most_running = app, windows, 0

    def all_ended(self):
        shown = {feed: self.app.window(window_id) for feed, window_id in self.windows.items()}
        running = [row for row in shown["trades"]["slices"] if row["state"] == "running"]
        self.most_running = max(self.most_running, len(running))
        return shown if all(window["closed_at"] for window in shown.values()) else None


@pytest.fixture(scope="module")
def start(app, past):
    """The start of the grid's next window, reached a little before it is due."""
    start = app.grid.next_start(datetime.now(UTC) + LEAD + 3 * SECOND)
    until(start - LEAD - 2 * SECOND)
    return start


@pytest.fixture(scope="module")
def starters(app, start):
    """The answers to fifty who fire the timer at once, each second until it has opened the windows."""
    due = [f"{feed}-{start:%Y%m%dT%H%M%SZ}" for feed in FEEDS]
    answers = []

    def opened():
        answers.extend(app.at_once(50, "POST", "/admin/functions/open_due_windows", {}))
        return {window["id"] for window in app.windows()} >= set(due)

    eventually(opened, "the timer opened the due windows")
    return answers


@pytest.fixture(scope="module")
def watch(app, start, starters):
    return Watch(app, {feed: f"{feed}-{start:%Y%m%dT%H%M%SZ}" for feed in FEEDS})


@pytest.fixture(scope="module")
def windows(watch):
    return eventually(watch.all_ended, "both windows ended", within=90)


@pytest.fixture(scope="module")
def proofs(app, windows):
    return dict(zip(windows, app.proofs(*windows.values()), strict=True))


def test_timer_opens_a_due_window_of_each_feed(windows):
    assert {window["origin"] for window in windows.values()} == {"timer"}
    assert {feed: window["state"] for feed, window in windows.items()} == dict.fromkeys(FEEDS, "closed")


@pytest.mark.parametrize("feed", FEEDS)
def test_all_counts_agree_from_the_source_to_the_hub(proofs, feed):
    proof = proofs[feed]

    assert proof.problems == ()
    assert proof.source == proof.counts["read"] == proof.counts["accepted"] == proof.distinct > 0
    assert UNEXPLAINED not in proof.duplicates


def test_two_slices_are_seen_running_at_one_time(windows, watch):
    assert watch.most_running >= 2


@pytest.mark.parametrize("feed", FEEDS)
def test_slice_begins_before_the_one_before_it_has_ended(windows, feed):
    rows = windows[feed]["slices"]

    assert len(rows) >= 2
    assert all(later["started_at"] < earlier["updated_at"] for earlier, later in itertools.pairwise(rows))


def test_fifty_starters_at_once_make_one_instance_of_each_window(app, windows, starters):
    ids = tuple(one["id"] for one in windows.values())
    steps = {f"{name}-{step}" for name in ids for step in ("opening", "leg0", "leg0-slice0", "leg0-slice1")}

    assert {answer.status_code for answer in starters} == {202}
    started = [one for one in app.instances() if one.startswith(ids) and ":" not in one]
    assert {*ids, *steps} <= set(started)
    assert {one.removesuffix("-a2") for one in started} == set(started)


@pytest.mark.parametrize("feed", FEEDS)
def test_fifty_starters_at_once_try_no_slice_twice(windows, feed):
    slices = windows[feed]["slices"]

    assert len({row["slice"] for row in slices}) == len(slices)
