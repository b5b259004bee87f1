"""When a run goes on, when it ends, and what it says then."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_house import START, run_request
from lakehouse.counting.counts import WindowCounts
from lakehouse.follow import LATE_PAUSE, Intervals, Passed, ending_of, not_yet_read, pause_after, run
from lakehouse.window import Closed, Spilled, StreamCounts

REQUEST = run_request(end=START + timedelta(minutes=10), drain_limit=timedelta(minutes=5))
READ = {"trades": {"0": 7}}
CLOSED = {"trades": Closed("closed", StreamCounts(0, 0, 0, 0), {"0": 7, "1": -1}, {})}
INTERVALS = Intervals(trigger_interval=timedelta(seconds=30), recount_every=timedelta(minutes=2))

positions = st.dictionaries(st.sampled_from("0123"), st.integers(-1, 20))


def spilled(rows, **changes):
    return {"trades": replace(CLOSED["trades"], spill=Spilled(waiting_of_all_tries=rows), **changes)}


class Clock:
    def __init__(self):
        self.time = START

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += timedelta(seconds=seconds)


class Stages:
    """Reads one number of partition 0 a pass; the window is closed at `closes_at`, its spill drained at `drains_at`.

    What was spilled is the last event.
    """

    def __init__(self, clock, closes_at=None, events=0, drains_at=START):
        self.clock, self.closes_at, self.events, self.drains_at = clock, closes_at, events, drains_at
        self.done = []
        self.last = -1

    def prepare(self):
        self.done.append("prepare")

    def run_pass(self):
        self.done.append("pass")
        self.clock.sleep(1)
        sent = self.events if self.clock.now() >= self.drains_at else self.events - 1
        rows = 1 if self.last + 1 < sent else 0
        self.last += rows
        return Passed(rows, {"trades": {"0": self.last} if self.last >= 0 else {}})

    def rerun(self):
        self.done.append("rerun")

    def closed(self):
        end = CLOSED if self.clock.now() >= self.drains_at else spilled(5, last={"0": self.events - 2})
        return end if self.closes_at and self.clock.now() >= self.closes_at else None

    def recount(self):
        self.done.append("recount")

    def finish(self):
        self.done.append("finish")
        return {"trades": WindowCounts()}


def test_a_window_that_is_closed_and_read_whole_ends_the_run():
    assert ending_of(REQUEST, CLOSED, {"trades": {"0": 7}}, START) == "drained"


def test_a_window_that_is_closed_and_not_read_whole_does_not():
    assert ending_of(REQUEST, CLOSED, {"trades": {"0": 6}}, START) is None
    assert not_yet_read(CLOSED, {"trades": {"0": 6}}) == {"trades/0": 7}


def test_a_partition_of_a_further_hub_that_is_behind_is_named_with_its_hub():
    spread = {"trades": replace(CLOSED["trades"], last={"0": 7, "deals-b/0": 3})}

    assert not_yet_read(spread, {"trades": {"0": 7, "deals-b/0": 2}}) == {"trades/deals-b/0": 3}
    assert not_yet_read(spread, {"trades": {"0": 7, "deals-b/0": 3}}) == {}


def test_a_window_that_is_read_whole_does_not_end_the_run_while_records_wait_in_the_spill():
    assert ending_of(REQUEST, spilled(1), READ, START) is None
    assert ending_of(REQUEST, spilled(0), READ, START) == "drained"


def test_the_spill_is_waited_for_until_the_drain_limit():
    assert ending_of(REQUEST, spilled(1), READ, REQUEST.gives_up_at - timedelta(seconds=1)) is None
    assert ending_of(REQUEST, spilled(1), READ, REQUEST.gives_up_at) == "gave_up"


def test_an_open_window_is_followed_until_end_grace_and_drain_limit():
    last = START + timedelta(minutes=15, seconds=30)

    assert ending_of(REQUEST, None, {"trades": {"0": 7}}, last - timedelta(seconds=1)) is None
    assert ending_of(REQUEST, None, {"trades": {"0": 7}}, last) == "gave_up"


def test_what_is_read_in_the_last_moment_counts_as_drained():
    assert ending_of(REQUEST, CLOSED, {"trades": {"0": 7}}, START + timedelta(days=1)) == "drained"


streams = st.dictionaries(st.sampled_from(["trades", "quotes", "stars"]), positions)


@given(last=streams, read=streams)
def test_a_run_ends_exactly_when_no_partition_of_any_stream_is_behind(last, read):
    closed = {name: Closed("closed", StreamCounts(0, 0, 0, 0), numbers, {}) for name, numbers in last.items()}

    is_drained = ending_of(REQUEST, closed, read, START) == "drained"

    assert is_drained == all(
        read.get(name, {}).get(partition, -1) >= number
        for name, numbers in last.items()
        for partition, number in numbers.items()
    )


def test_a_run_ends_within_a_pause_and_a_pass_after_its_window():
    clock = Clock()
    closes_at = START + timedelta(minutes=3)
    stages = Stages(clock, closes_at, events=8)

    finished = run(REQUEST, "follow", stages, clock, INTERVALS)

    assert (finished.ending, finished.behind) == ("drained", {})
    assert clock.now() - closes_at <= INTERVALS.trigger_interval + timedelta(seconds=2)


def test_a_run_does_not_pause_while_there_is_something_to_read_of_a_closed_window():
    clock = Clock()

    run(REQUEST, "follow", Stages(clock, START, events=8), clock, INTERVALS)

    assert clock.now() - START == timedelta(seconds=8)


def test_a_run_that_gives_up_says_what_it_has_not_read():
    clock = Clock()

    finished = run(REQUEST, "follow", Stages(clock, START, events=3), clock, INTERVALS)

    assert (finished.ending, finished.behind) == ("gave_up", {"trades/0": 7})
    assert clock.now() >= REQUEST.gives_up_at


def test_a_run_waits_for_the_spill_of_its_window_and_reads_what_was_redriven():
    clock, drains_at = Clock(), START + timedelta(minutes=4)
    stages = Stages(clock, START, events=8, drains_at=drains_at)

    finished = run(REQUEST, "follow", stages, clock, INTERVALS)

    assert (finished.ending, finished.waiting, stages.last) == ("drained", {}, 7)
    assert clock.now() - drains_at <= LATE_PAUSE + timedelta(seconds=2)


def test_a_run_whose_spill_is_not_drained_gives_up_and_says_what_waits():
    clock = Clock()
    stages = Stages(clock, START, events=8, drains_at=START + timedelta(days=1))

    finished = run(REQUEST, "follow", stages, clock, INTERVALS)

    assert (finished.ending, finished.behind, finished.waiting) == ("gave_up", {}, {"trades": 5})
    assert clock.now() >= REQUEST.gives_up_at


def test_a_run_whose_window_is_never_closed_gives_up():
    clock = Clock()

    finished = run(REQUEST, "follow", Stages(clock), clock, INTERVALS)

    assert (finished.ending, finished.closed) == ("gave_up", None)


def test_catching_up_is_one_pass():
    clock = Clock()
    stages = Stages(clock, events=8)

    finished = run(REQUEST, "catch_up", stages, clock, INTERVALS)

    assert (finished.ending, stages.done) == ("caught_up", ["prepare", "pass", "finish"])


def test_a_rerun_reads_nothing_from_the_hub():
    stages = Stages(Clock(), events=8)

    finished = run(REQUEST, "rerun", stages, stages.clock, INTERVALS)

    assert (finished.ending, stages.done) == ("rerun", ["prepare", "rerun", "finish"])


def test_an_open_window_is_counted_every_two_minutes_and_at_the_end():
    clock = Clock()
    stages = Stages(clock, START + timedelta(minutes=9, seconds=50), events=8)

    run(REQUEST, "follow", stages, clock, INTERVALS)

    assert (stages.done.count("pass"), stages.done.count("recount"), stages.done.count("finish")) == (21, 4, 1)


@pytest.mark.parametrize(
    ("took", "rows", "changes", "seconds"),
    [
        (4, 9, {}, 26),
        (40, 9, {}, 0),
        (4, 0, {"is_over": True}, 1),
        (4, 0, {"is_closed": True}, 1),
        (4, 9, {"is_closed": True}, 0),
    ],
)
def test_passes_begin_at_the_trigger_interval_and_faster_at_the_end(took, rows, changes, seconds):
    whether = {"is_over": False, "is_closed": False, **changes}

    pause = pause_after(START, START + timedelta(seconds=took), Passed(rows, {}), **whether, intervals=INTERVALS)

    assert pause == seconds
    assert timedelta(seconds=5) == LATE_PAUSE
