from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.schedule import MAX_PER_TICK, Schedule, decide_tick, startable
from shared.domain.windows.window import Window

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOURLY = Schedule("trades", every=HOUR, offset=timedelta(), length=HOUR, lead=20 * SECOND, catch_up=24 * HOUR)


def row(start: datetime, state="closed", *, origin="timer", queued=False, claimed_at=NOON, length=HOUR) -> WindowRow:
    return WindowRow(Window("trades", start, start + length), state, origin, claimed_at, queued=queued)


def test_a_new_feed_begins_with_the_next_window_of_the_grid():
    early = decide_tick(HOURLY, [], NOON + 10 * MINUTE, MINUTE)
    in_time = decide_tick(HOURLY, [], NOON + 58 * MINUTE + 40 * SECOND, MINUTE)

    assert early.claim == ()
    assert in_time.claim == ()
    assert decide_tick(HOURLY, [], NOON + 59 * MINUTE, MINUTE).claim == (
        Window("trades", NOON + HOUR, NOON + 2 * HOUR),
    )


def test_a_window_is_due_one_timer_period_before_its_lead():
    just_before = NOON - 20 * SECOND - MINUTE
    known = [row(NOON - HOUR)]

    assert decide_tick(HOURLY, known, just_before, MINUTE).claim == ()
    assert decide_tick(HOURLY, known, just_before + SECOND, MINUTE).claim == (Window("trades", NOON, NOON + HOUR),)


def test_a_claimed_window_is_not_claimed_again():
    tick = decide_tick(HOURLY, [row(NOON, "open")], NOON + MINUTE, MINUTE)

    assert tick.claim == ()


def test_missed_windows_are_claimed_in_order():
    tick = decide_tick(HOURLY, [row(NOON - 4 * HOUR)], NOON + MINUTE, MINUTE)

    assert [window.start for window in tick.claim] == [NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - HOUR, NOON]


def test_windows_further_back_than_the_catch_up_are_missed():
    schedule = replace(HOURLY, catch_up=2 * HOUR)

    tick = decide_tick(schedule, [row(NOON - 6 * HOUR)], NOON, MINUTE)

    assert [window.start for window in tick.missed] == [NOON - hours * HOUR for hours in (5, 4, 3)]
    assert [window.start for window in tick.claim] == [NOON - hours * HOUR for hours in (2, 1, 0)]


def test_a_long_absence_is_recorded_in_bounded_steps():
    tick = decide_tick(HOURLY, [row(NOON - 5_000 * HOUR)], NOON, MINUTE)

    assert len(tick.missed) == MAX_PER_TICK


def times(windows):
    return [(window.start, window.end) for window in windows]


def test_what_a_requested_window_leaves_of_the_grid_is_claimed_when_it_is_due():
    requested = row(NOON + 30 * MINUTE, "open", origin="request", length=10 * MINUTE)
    known = [row(NOON - HOUR), requested]

    early = decide_tick(HOURLY, known, NOON - MINUTE, MINUTE)
    late = decide_tick(HOURLY, [*known, row(NOON, length=30 * MINUTE)], NOON + 39 * MINUTE, MINUTE)

    assert times(early.claim) == [(NOON, NOON + 30 * MINUTE)]
    assert times(late.claim) == [(NOON + 40 * MINUTE, NOON + HOUR)]


def test_the_rest_of_a_grids_window_that_passed_is_claimed_in_parts_or_missed_in_parts():
    requested = row(NOON - 90 * MINUTE, origin="request", length=10 * MINUTE)
    known = [row(NOON - 3 * HOUR), requested]
    parts = [(NOON - 2 * HOUR, NOON - 90 * MINUTE), (NOON - 80 * MINUTE, NOON - HOUR)]

    caught_up = decide_tick(HOURLY, known, NOON, MINUTE)
    too_late = decide_tick(replace(HOURLY, catch_up=MINUTE), known, NOON, MINUTE)

    assert times(caught_up.claim)[:2] == parts
    assert times(too_late.missed)[:2] == parts


def test_a_feed_that_was_away_is_caught_up_whatever_was_requested_meanwhile():
    schedule, requested = replace(HOURLY, catch_up=24 * HOUR), row(NOON + 5 * HOUR, "planned", origin="request")
    known = [row(NOON - 31 * HOUR)]

    without = decide_tick(schedule, known, NOON, MINUTE)
    beside = decide_tick(schedule, [*known, requested], NOON, MINUTE)

    assert beside == without
    assert (len(without.claim), len(without.missed)) == (25, 6)


def test_a_grid_that_was_changed_claims_nothing_of_the_time_before():
    wider = replace(HOURLY, every=6 * HOUR, length=6 * HOUR)

    tick = decide_tick(wider, [row(NOON + HOUR, length=10 * MINUTE)], NOON + 2 * HOUR, MINUTE)

    assert times(tick.claim) == [(NOON + 70 * MINUTE, NOON + 6 * HOUR)]


def ended(state, ago, attempt=1, closed_ago=HOUR):
    start = NOON - ago
    return replace(row(start, state), attempt=attempt, closed_at=NOON - closed_ago)


def test_catching_up_opens_again_what_ended_badly_where_it_is_to():
    failed, incomplete = ended("failed", 5 * HOUR), ended("incomplete", 4 * HOUR)
    rows = [failed, incomplete, ended("closed", 3 * HOUR), ended("stopped", 2 * HOUR)]

    assert decide_tick(replace(HOURLY, reingest=True), rows, NOON, MINUTE).reopen == (failed, incomplete)
    assert decide_tick(HOURLY, rows, NOON, MINUTE).reopen == ()


def test_catching_up_opens_a_window_again_not_at_once_nor_too_late_nor_for_ever():
    just_ended = ended("failed", 3 * HOUR, closed_ago=MINUTE)
    too_old, too_often = ended("failed", 40 * HOUR), ended("failed", 4 * HOUR, attempt=3)

    tick = decide_tick(replace(HOURLY, reingest=True), [just_ended, too_old, too_often], NOON, MINUTE)

    assert tick.reopen == ()


def test_a_planned_window_that_nobody_started_is_started_again_after_two_minutes():
    forgotten = row(NOON, "planned", claimed_at=NOON - 2 * MINUTE)
    fresh = row(NOON + HOUR, "planned", claimed_at=NOON - MINUTE)

    assert startable([forgotten, fresh], NOON) == (forgotten,)


def test_the_queue_of_past_windows_moves_one_by_one():
    first, second = row(NOON - 3 * HOUR, "planned", queued=True), row(NOON - 2 * HOUR, "planned", queued=True)

    assert startable([second, first], NOON) == (first,)
    assert startable([second, replace(first, state="open")], NOON) == ()
    assert startable([second, replace(first, state="failed")], NOON) == (second,)


@given(offset=st.integers(0, 3599), first=st.integers(0, 10**6), span=st.integers(0, 10**5))
def test_the_grid_is_absolute(offset, first, span):
    schedule = replace(HOURLY, offset=offset * SECOND)
    begin = NOON + first * SECOND

    windows = schedule.starting_in(begin, begin + span * SECOND)

    assert all((int(window.start.timestamp()) - offset) % 3600 == 0 for window in windows)
    assert all(begin <= window.start < begin + span * SECOND for window in windows)
    assert len(windows) in (span // 3600, span // 3600 + 1)


@given(ticks=st.lists(st.integers(0, 90), min_size=1, max_size=40))
def test_whatever_the_ticks_each_window_is_claimed_once_and_none_is_lost(ticks):
    now, rows = NOON, [row(NOON - HOUR)]
    for minutes in ticks:
        now += minutes * MINUTE
        rows += [row(window.start, "planned") for window in decide_tick(HOURLY, rows, now, MINUTE).claim]

    starts = [known.window.start for known in rows]

    assert starts == [NOON - HOUR + number * HOUR for number in range(len(starts))]
    assert rows[-1].window.start + HOUR > now


REQUESTS = st.lists(st.tuples(st.integers(0, 200), st.integers(-400, 400), st.integers(1, 180)), max_size=30)


@given(steps=REQUESTS, catch_up=st.integers(1, 6))
def test_whatever_is_requested_by_hand_the_rows_cover_the_grid_from_the_first_one_on_and_none_overlaps(steps, catch_up):
    schedule = replace(HOURLY, catch_up=catch_up * HOUR)
    now, rows = NOON, [row(NOON - HOUR)]
    for wait, begin, length in steps:
        now += wait * MINUTE
        requested = row(now + begin * MINUTE, origin="request", length=length * MINUTE)
        if requested.window.start >= NOON and not any(requested.window.overlaps(known.window) for known in rows):
            rows.append(requested)
        tick = decide_tick(schedule, rows, now, MINUTE)
        rows += [row(window.start, length=window.length) for window in (*tick.missed, *tick.claim)]

    windows = sorted(known.window for known in rows)

    assert all(earlier.end <= later.start for earlier, later in pairwise(windows))
    assert [part for part in schedule.uncovered(NOON, now, rows) if part.start < now] == []
