"""When a run goes on, when it ends, and what it says then."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.streams.bronze import BronzeProgress
from lakehouse.chain import to_enrich
from lakehouse.counting.counts import WindowCounts
from lakehouse.follow import PAUSE, ending_of, not_yet_read, run
from lakehouse.request import RunRequest, Stream
from lakehouse.window import Closed, StreamCounts

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
REQUEST = RunRequest(
    feed="trades",
    window_id="trades-20261122T100000Z",
    start=START,
    end=START + timedelta(minutes=10),
    stream=Stream("trades", "trades", "trades/1"),
    lookups={},
    grace=timedelta(seconds=30),
    drain_limit=timedelta(minutes=5),
)
CLOSED = Closed("closed", StreamCounts(0, 0, 0, 0), {"0": 7, "1": -1}, {})

positions = st.dictionaries(st.sampled_from("0123"), st.integers(-1, 20))


class Clock:
    def __init__(self):
        self.time = START

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += timedelta(seconds=seconds)


class Stages:
    """Reads one number of partition 0 a pass; the window is closed at `closes_at`."""

    def __init__(self, clock, closes_at=None, events=0):
        self.clock, self.closes_at, self.events = clock, closes_at, events
        self.done = []
        self.last = -1
        self.progress = None

    def prepare(self):
        self.done.append("prepare")

    def run_pass(self, known=None):
        assert known is self.progress, "each pass is told what the one before it gave"
        self.done.append("pass")
        self.clock.sleep(1)
        rows = 1 if self.last + 1 < self.events else 0
        self.last += rows
        self.progress = BronzeProgress({"0": self.last} if self.last >= 0 else {}, rows)
        return self.progress

    def rerun(self):
        self.done.append("rerun")

    def closed(self, window_id):
        return CLOSED if self.closes_at and self.clock.now() >= self.closes_at else None

    def recount(self, window_ids):
        self.done.append("recount")
        return {window_ids[0]: WindowCounts()}


def test_a_window_that_is_closed_and_read_whole_ends_the_run():
    assert ending_of(REQUEST, CLOSED, {"0": 7}, START) == "drained"


def test_a_window_that_is_closed_and_not_read_whole_does_not():
    assert ending_of(REQUEST, CLOSED, {"0": 6}, START) is None
    assert not_yet_read(CLOSED, {"0": 6}) == {"0": 7}


def test_an_open_window_is_followed_until_end_grace_and_drain_limit():
    last = START + timedelta(minutes=15, seconds=30)

    assert ending_of(REQUEST, None, {"0": 7}, last - timedelta(seconds=1)) is None
    assert ending_of(REQUEST, None, {"0": 7}, last) == "gave_up"


def test_what_is_read_in_the_last_moment_counts_as_drained():
    assert ending_of(REQUEST, CLOSED, {"0": 7}, START + timedelta(days=1)) == "drained"


@given(last=positions, read=positions)
def test_a_run_ends_exactly_when_no_partition_is_behind(last, read):
    closed = Closed("closed", StreamCounts(0, 0, 0, 0), last, {})

    is_drained = ending_of(REQUEST, closed, read, START) == "drained"

    assert is_drained == all(read.get(name, -1) >= number for name, number in last.items())


def test_a_run_ends_within_a_pause_and_a_pass_after_its_window():
    clock = Clock()
    closes_at = START + timedelta(minutes=3)
    stages = Stages(clock, closes_at, events=8)

    finished = run(REQUEST, "follow", stages, clock)

    assert (finished.ending, finished.behind) == ("drained", {})
    assert clock.now() - closes_at <= timedelta(seconds=PAUSE + 2)


def test_a_run_does_not_pause_while_there_is_something_to_read():
    clock = Clock()

    run(REQUEST, "follow", Stages(clock, START, events=8), clock)

    assert clock.now() - START == timedelta(seconds=8)


def test_a_run_that_gives_up_says_what_it_has_not_read():
    clock = Clock()

    finished = run(REQUEST, "follow", Stages(clock, START, events=3), clock)

    assert (finished.ending, finished.behind) == ("gave_up", {"0": 7})
    assert clock.now() >= REQUEST.gives_up_at


def test_a_run_whose_window_is_never_closed_gives_up():
    clock = Clock()

    finished = run(REQUEST, "follow", Stages(clock), clock)

    assert (finished.ending, finished.closed) == ("gave_up", None)


def test_catching_up_is_one_pass():
    clock = Clock()
    stages = Stages(clock, events=8)

    finished = run(REQUEST, "catch_up", stages, clock)

    assert (finished.ending, stages.done) == ("caught_up", ["prepare", "pass", "recount"])


def test_a_rerun_reads_nothing_from_the_hub():
    stages = Stages(Clock(), events=8)

    finished = run(REQUEST, "rerun", stages, stages.clock)

    assert (finished.ending, stages.done) == ("rerun", ["prepare", "rerun", "recount"])


@pytest.mark.parametrize(
    ("windows", "chosen"),
    [
        (["trades-20261122T100000Z"], ["trades-20261122T100000Z"]),
        (["trades-20261122T101000Z", "trades-20261122T095000Z"], ["trades-20261122T095000Z"]),
        (["unknown"], ["unknown"]),
    ],
)
def test_rows_of_a_later_window_wait_for_its_own_run(windows, chosen):
    assert to_enrich(windows, REQUEST.window_id) == chosen
