from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import longest_window
from shared.domain.windows.request import (
    MAX_BACK_FILL,
    InvalidRequest,
    OpenRequest,
    WindowTaken,
    windows_of,
    windows_to_claim,
)
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import Window

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOURLY = Schedule("trades", every=HOUR, offset=timedelta(), length=HOUR, lead=timedelta(), catch_up=HOUR)


def row(start, end, feed="trades"):
    return WindowRow(Window(feed, start, end), "closed", "timer", NOON)


def test_a_request_to_come_is_one_window_as_asked():
    request = OpenRequest("trades", NOON + 7 * MINUTE, NOON + 9 * MINUTE)

    windows = windows_of(request, HOURLY, NOON)

    assert [(window.start, window.end) for window in windows] == [(request.start, request.end)]


def test_a_past_request_is_cut_into_the_grids_whole_windows():
    request = OpenRequest("trades", NOON - 4 * HOUR - MINUTE, NOON - MINUTE)

    windows = windows_of(request, HOURLY, NOON)

    assert [window.start for window in windows] == [NOON - 4 * HOUR, NOON - 3 * HOUR, NOON - 2 * HOUR]


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
        windows_of(OpenRequest("trades", start, end), HOURLY, NOON)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("length", "field"), [(timedelta(), "end"), (-HOUR, "end"), (MAX_BACK_FILL + timedelta(seconds=1), "length")]
)
def test_a_request_has_a_time_of_at_most_31_days(length, field):
    with pytest.raises(InvalidRequest) as caught:
        OpenRequest("trades", NOON, NOON + length)

    assert caught.value.field == field


def test_the_longest_back_fill_is_31_days_of_windows():
    request = OpenRequest("trades", NOON - MAX_BACK_FILL, NOON)

    assert len(windows_of(request, HOURLY, NOON)) == 31 * 24


def test_windows_beside_those_of_the_ledger_are_claimed():
    rivals = [row(NOON - 3 * HOUR, NOON - 2 * HOUR), row(NOON - HOUR, NOON), row(NOON - 2 * HOUR, NOON, "payments")]

    windows = windows_to_claim(OpenRequest("trades", NOON - 2 * HOUR, NOON - HOUR), HOURLY, rivals, NOON)

    assert windows == [Window("trades", NOON - 2 * HOUR, NOON - HOUR)]


def test_a_window_of_the_ledger_is_named_where_a_request_overlaps_it():
    rival = row(NOON - 2 * HOUR, NOON - HOUR)

    with pytest.raises(WindowTaken) as caught:
        windows_to_claim(OpenRequest("trades", NOON - 3 * HOUR, NOON), HOURLY, [rival], NOON)

    assert (caught.value.window, caught.value.rival) == (rival.window, rival)


def test_a_window_that_is_open_now_is_taken_rather_than_begun_too_late():
    rival = row(NOON - 10 * MINUTE, NOON + 50 * MINUTE)

    with pytest.raises(WindowTaken):
        windows_to_claim(OpenRequest("trades", rival.window.start, rival.window.end), HOURLY, [rival], NOON)


@given(st.integers(-800, 100), st.integers(1, 44_640))
def test_no_window_of_a_request_overlaps_another_or_leaves_the_time_that_was_asked_for(start, minutes):
    try:
        request = OpenRequest("trades", NOON + start * HOUR, NOON + start * HOUR + minutes * MINUTE)
        windows = windows_of(request, HOURLY, NOON)
    except InvalidRequest:
        return

    assert all(request.start <= window.start < window.end <= request.end for window in windows)
    assert all(earlier.end <= later.start for earlier, later in pairwise(windows))


def test_a_day_that_is_asked_for_in_slices_of_five_seconds_is_refused_with_the_longest_that_can_be():
    slices = replace(HOURLY, longest=longest_window(timedelta(seconds=5)))
    day = OpenRequest("trades", NOON + HOUR, NOON + 25 * HOUR)

    with pytest.raises(InvalidRequest, match="length must be at most 00:48:00 for a window to come") as caught:
        windows_of(day, slices, NOON)

    assert caught.value.field == "length"
    assert windows_of(OpenRequest("trades", NOON + HOUR, NOON + HOUR + timedelta(minutes=48)), slices, NOON)
