from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import longest_window
from shared.domain.windows.request import MAX_BACK_FILL, InvalidRequest, OpenRequest, WindowTaken, decide_request
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import Window

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOURLY = Schedule("trades", every=HOUR, offset=timedelta(), length=HOUR, lead=timedelta(), catch_up=HOUR)


def row(start, end, state="closed", feed="trades"):
    return WindowRow(Window(feed, start, end), state, "timer", NOON)


def decide(start, end, rows=(), **changes):
    return decide_request(OpenRequest("trades", start, end), HOURLY, list(rows), NOON, **changes)


def times(windows):
    return [(window.start, window.end) for window in windows]


def test_a_request_to_come_is_one_window_as_asked():
    decision = decide(NOON + 7 * MINUTE, NOON + 9 * MINUTE)

    assert times(decision.claim) == [(NOON + 7 * MINUTE, NOON + 9 * MINUTE)]


def test_a_past_request_is_cut_into_the_grids_whole_windows():
    decision = decide(NOON - 4 * HOUR - MINUTE, NOON - MINUTE)

    assert [window.start for window in decision.claim] == [NOON - 4 * HOUR, NOON - 3 * HOUR, NOON - 2 * HOUR]


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (NOON - 50 * MINUTE, NOON - 10 * MINUTE, "start"),
        (NOON - HOUR, NOON + HOUR, "start"),
        (NOON + HOUR, NOON + 26 * HOUR, "length"),
    ],
)
def test_what_is_no_window_is_refused_by_its_field(start, end, field):
    with pytest.raises(InvalidRequest) as caught:
        decide(start, end)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("length", "field"), [(timedelta(), "end"), (-HOUR, "end"), (MAX_BACK_FILL + timedelta(seconds=1), "length")]
)
def test_a_request_has_a_time_of_at_most_31_days(length, field):
    with pytest.raises(InvalidRequest) as caught:
        OpenRequest("trades", NOON, NOON + length)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (datetime(1, 1, 2, tzinfo=UTC), datetime(1, 1, 3, tzinfo=UTC), "start"),
        (datetime(2099, 12, 31, 23, 30, tzinfo=UTC), datetime(2100, 1, 1, 0, 30, tzinfo=UTC), "end"),
    ],
)
def test_a_request_lies_between_2000_and_2100(start, end, field):
    with pytest.raises(InvalidRequest, match="between 2000-01-01 and 2100-01-01") as caught:
        OpenRequest("trades", start, end)

    assert caught.value.field == field


def test_the_longest_back_fill_is_31_days_of_windows():
    decision = decide(NOON - MAX_BACK_FILL, NOON)

    assert (len(decision.claim), decision.rest) == (31 * 24, None)


def test_a_request_means_a_bounded_number_of_windows_and_says_what_is_left():
    decision = decide(NOON - 5 * HOUR, NOON, most=2)

    assert [window.start for window in decision.claim] == [NOON - 5 * HOUR, NOON - 4 * HOUR]
    assert decision.rest == OpenRequest("trades", NOON - 3 * HOUR, NOON)


@pytest.mark.parametrize("state", ["planned", "open", "closed"])
@pytest.mark.parametrize("start", [NOON - HOUR, NOON - 10 * MINUTE, NOON + HOUR], ids=["past", "now", "to come"])
def test_the_same_window_stands_as_it_is_in_the_ledger(state, start):
    same = row(start, start + HOUR, state)

    decision = decide(start, start + HOUR, [same])

    assert (decision.claim, decision.reopen, decision.known) == ((), (), (same,))


@pytest.mark.parametrize("state", ["missed", "failed", "stopped", "incomplete"])
@pytest.mark.parametrize("start", [NOON - HOUR, NOON + HOUR], ids=["past", "to come"])
def test_a_window_that_ended_badly_is_opened_again(state, start):
    ended = row(start, start + HOUR, state)

    decision = decide(start, start + HOUR, [ended])

    assert (decision.claim, decision.reopen, decision.known) == ((), (ended,), ())


def test_a_back_fill_opens_what_ended_badly_and_claims_what_is_missing_beside_what_is_well():
    closed, missed = row(NOON - 4 * HOUR, NOON - 3 * HOUR), row(NOON - 2 * HOUR, NOON - HOUR, "missed")

    decision = decide(NOON - 4 * HOUR, NOON, [closed, missed])

    assert times(decision.claim) == [(NOON - 3 * HOUR, NOON - 2 * HOUR), (NOON - HOUR, NOON)]
    assert (decision.reopen, decision.known) == ((missed,), (closed,))


def test_a_back_fill_is_cut_around_windows_that_lie_in_a_window_of_the_grid():
    inside = row(NOON - 30 * MINUTE, NOON - 20 * MINUTE)

    decision = decide(NOON - HOUR, NOON, [inside])

    assert times(decision.claim) == [(NOON - HOUR, NOON - 30 * MINUTE), (NOON - 20 * MINUTE, NOON)]


def test_a_part_of_the_grid_that_is_in_the_ledger_is_opened_again_by_its_own_times():
    part = row(NOON - HOUR, NOON - 30 * MINUTE, "missed")

    assert decide(part.window.start, part.window.end, [part]).reopen == (part,)


def test_a_window_that_ended_badly_and_reaches_into_a_request_is_opened_again_whole():
    over = row(NOON - 90 * MINUTE, NOON - 30 * MINUTE, "failed")

    decision = decide(NOON - HOUR, NOON, [over])

    assert (decision.reopen, times(decision.claim)) == ((over,), [(NOON - 30 * MINUTE, NOON)])


def test_another_window_that_is_well_and_reaches_into_a_request_is_in_the_way():
    rival = row(NOON - 210 * MINUTE, NOON - 150 * MINUTE)

    with pytest.raises(WindowTaken) as caught:
        decide(NOON - 3 * HOUR, NOON, [rival])

    assert (caught.value.window, caught.value.rival) == (Window("trades", NOON - 3 * HOUR, NOON - 2 * HOUR), rival)


@pytest.mark.parametrize("state", ["open", "stopped"])
def test_a_window_to_come_gives_way_to_whatever_other_window_overlaps_it(state):
    rival = row(NOON - 10 * MINUTE, NOON + 50 * MINUTE, state)

    with pytest.raises(WindowTaken):
        decide(NOON + 30 * MINUTE, NOON + HOUR, [rival])


def test_windows_of_other_feeds_are_in_nobodys_way():
    decision = decide(NOON - 2 * HOUR, NOON - HOUR, [row(NOON - 2 * HOUR, NOON, feed="payments")])

    assert times(decision.claim) == [(NOON - 2 * HOUR, NOON - HOUR)]


@given(st.integers(-800, 100), st.integers(1, 44_640))
def test_no_window_of_a_request_overlaps_another_or_leaves_the_time_that_was_asked_for(start, minutes):
    try:
        request = OpenRequest("trades", NOON + start * HOUR, NOON + start * HOUR + minutes * MINUTE)
        windows = decide_request(request, HOURLY, [], NOON).claim
    except InvalidRequest:
        return

    assert all(request.start <= window.start < window.end <= request.end for window in windows)
    assert all(earlier.end <= later.start for earlier, later in pairwise(windows))


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(1, 90), st.sampled_from(["missed", "open", "closed"]))),
    st.integers(1, 9),
)
def test_pages_of_a_back_fill_cover_its_whole_time_once(spans, most):
    rows, end = [], NOON - 10 * HOUR
    for gap, length, state in spans:
        start = end + gap * MINUTE
        end = start + length * MINUTE
        if end <= NOON:
            rows.append(row(start, end, state))
    request, found = OpenRequest("trades", NOON - 10 * HOUR, NOON), []
    while request:
        decision = decide_request(request, HOURLY, rows, NOON, most)
        page = [*decision.claim, *(one.window for one in (*decision.reopen, *decision.known))]
        assert len(page) <= most
        found += sorted(page)
        rows += [row(window.start, window.end, "planned") for window in decision.claim]
        request = decision.rest

    assert (found[0].start, found[-1].end) == (NOON - 10 * HOUR, NOON)
    assert all(earlier.end == later.start for earlier, later in pairwise(found))


def test_a_day_that_is_asked_for_in_slices_of_five_seconds_is_refused_with_the_longest_that_can_be():
    slices = replace(HOURLY, longest=longest_window(timedelta(seconds=5)))
    day = OpenRequest("trades", NOON + HOUR, NOON + 25 * HOUR)

    with pytest.raises(InvalidRequest, match="length must be at most 00:48:00 for a window to come") as caught:
        decide_request(day, slices, [], NOON)

    assert caught.value.field == "length"
    assert decide_request(OpenRequest("trades", NOON + HOUR, NOON + HOUR + 48 * MINUTE), slices, [], NOON).claim
