from dataclasses import replace
from datetime import UTC, datetime, timedelta

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


def test_a_window_that_a_requested_one_overlaps_is_passed_over():
    requested = row(NOON - 30 * MINUTE, "open", origin="request")

    tick = decide_tick(HOURLY, [row(NOON - HOUR), requested], NOON - MINUTE, MINUTE)

    assert tick.claim == ()


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
