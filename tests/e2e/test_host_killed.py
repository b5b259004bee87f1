"""The Functions host is killed in mid-slice and again at a slice's boundary: the same orchestrations go on."""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from local.demo.verification import CLOSING, SENT_AGAIN, TRIED_AGAIN
from tests.e2e.running_app import times
from tests.e2e.waiting import eventually, until

FEEDS = ("trades", "payments")
SLICE = timedelta(seconds=5)


def kill_and_await(app):
    """Kill the host's child without warning, and wait until its successor answers."""
    before = app.process_id()
    os.kill(before, signal.SIGKILL)
    eventually(lambda: app.process_id() != before, "another host answered")


def next_boundary(start):
    elapsed = datetime.now(UTC) + timedelta(milliseconds=200) - start
    return start - (-elapsed // SLICE) * SLICE


@pytest.fixture(scope="module")
def ids(app):
    return dict(zip(FEEDS, app.open(*FEEDS, seconds=20), strict=True))


@pytest.fixture(scope="module")
def before(app, ids):
    """The orchestrations as they were before the host was killed for the first time."""
    start, _ = times(app.window(ids["trades"]))
    until(start + SLICE / 2)
    return app.instances()


@pytest.fixture(scope="module")
def windows(app, ids, before):
    start, end = times(app.window(ids["trades"]))
    kill_and_await(app)
    boundary = next_boundary(start)
    assert boundary < end, "the machine is too slow for a second kill within the window"
    until(boundary)
    kill_and_await(app)
    return {feed: app.ended(window_id) for feed, window_id in ids.items()}


@pytest.mark.parametrize("feed", FEEDS)
def test_same_orchestration_goes_on(app, ids, before, windows, feed):
    def ended():
        now = {name: found for name, found in app.instances().items() if name.startswith(ids[feed])}
        return now if {found["runtimeStatus"] for found in now.values()} == {"Completed"} else None

    now = eventually(ended, "the window's orchestrations are completed")

    earlier = {name: found["createdTime"] for name, found in before.items() if name.startswith(ids[feed])}
    assert earlier.keys() >= {ids[feed], f"{ids[feed]}-leg0", f"{ids[feed]}-leg0-slice0"}
    assert {name: now[name]["createdTime"] for name in earlier} == earlier


@pytest.mark.parametrize("feed", FEEDS)
def test_slices_under_way_are_tried_again(windows, feed):
    attempts = [row["attempt"] for row in windows[feed]["slices"]]

    assert max(attempts) >= 2


@pytest.fixture(scope="module")
def proofs(app, windows):
    return dict(zip(FEEDS, app.proofs(*(windows[feed] for feed in FEEDS)), strict=True))


@pytest.mark.parametrize("feed", FEEDS)
def test_nothing_is_lost_and_every_double_is_explained(windows, proofs, feed):
    proof = proofs[feed]

    assert windows[feed]["state"] == "closed"
    assert proof.problems == ()
    assert proof.source == proof.distinct
    assert set(proof.duplicates) <= {TRIED_AGAIN, SENT_AGAIN, CLOSING}
