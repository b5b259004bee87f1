"""The Functions host is killed in mid-slice and again at a slice's boundary: the same orchestrations go on."""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from local.demo.verification import CLOSING, SENT_AGAIN, TRIED_AGAIN
from tests.e2e.house import times
from tests.e2e.waiting import eventually, until

FEEDS = ("trades", "payments")
SLICE = timedelta(seconds=5)


def kill_and_await(house):
    """Kill the host's child without warning, and wait until its successor answers."""
    before = house.process_id()
    os.kill(before, signal.SIGKILL)
    eventually(lambda: house.process_id() != before, "another host answered")


def next_boundary(start):
    elapsed = datetime.now(UTC) + timedelta(milliseconds=200) - start
    return start - (-elapsed // SLICE) * SLICE


@pytest.fixture(scope="module")
def ids(house):
    return dict(zip(FEEDS, house.open(*FEEDS, seconds=20), strict=True))


@pytest.fixture(scope="module")
def before(house, ids):
    """The orchestrations as they were before the host was killed for the first time."""
    start, _ = times(house.window(ids["trades"]))
    until(start + SLICE / 2)
    return house.instances()


@pytest.fixture(scope="module")
def windows(house, ids, before):
    start, end = times(house.window(ids["trades"]))
    kill_and_await(house)
    boundary = next_boundary(start)
    assert boundary < end, "the machine is too slow for a second kill within the window"
    until(boundary)
    kill_and_await(house)
    return {feed: house.ended(window_id) for feed, window_id in ids.items()}


@pytest.mark.parametrize("feed", FEEDS)
def test_same_orchestration_goes_on(house, ids, before, windows, feed):
    def ended():
        now = {name: found for name, found in house.instances().items() if name.startswith(ids[feed])}
        return now if {found["runtimeStatus"] for found in now.values()} == {"Completed"} else None

    now = eventually(ended, "the window's orchestrations are completed")

    ours = [ids[feed], f"{ids[feed]}-leg0"]
    assert sorted(now) == ours
    assert [now[name]["createdTime"] for name in ours] == [before[name]["createdTime"] for name in ours]


@pytest.mark.parametrize("feed", FEEDS)
def test_slices_under_way_are_tried_again(windows, feed):
    attempts = [row["attempt"] for row in windows[feed]["slices"]]

    assert max(attempts) >= 2


@pytest.fixture(scope="module")
def proofs(house, windows):
    return dict(zip(FEEDS, house.proofs(*(windows[feed] for feed in FEEDS)), strict=True))


@pytest.mark.parametrize("feed", FEEDS)
def test_nothing_is_lost_and_every_double_is_explained(windows, proofs, feed):
    proof = proofs[feed]

    assert windows[feed]["state"] == "closed"
    assert proof.problems == ()
    assert proof.source == proof.distinct
    assert set(proof.duplicates) <= {TRIED_AGAIN, SENT_AGAIN, CLOSING}
