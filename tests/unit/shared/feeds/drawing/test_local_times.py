from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feeds.drawing.local_times import LocalTimes

ZONES = ("America/Sao_Paulo", "UTC", "Asia/Kolkata", "Australia/Lord_Howe")
YEAR_2000, YEAR_2050 = 946_684_800_000, 2_524_608_000_000


def written(zone, times):
    return [bytes(text).decode() for text in LocalTimes(zone).text(np.array(times, np.int64))]


def as_datetime(zone, milliseconds):
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000).astimezone(ZoneInfo(zone))


@pytest.mark.parametrize("zone", ZONES)
@given(start=st.integers(YEAR_2000, YEAR_2050), steps=st.lists(st.integers(-(10**8), 10**8), max_size=20))
def test_times_are_written_as_the_standard_library_writes_them(zone, start, steps):
    times = [start + step for step in steps]

    expected = [as_datetime(zone, time).isoformat(timespec="milliseconds") for time in times]

    assert written(zone, times) == expected


@given(start=st.integers(YEAR_2000, YEAR_2050), steps=st.lists(st.integers(-(10**8), 10**8), max_size=20))
def test_days_are_local(start, steps):
    times = [start + step for step in steps]

    days = LocalTimes(ZONES[0]).days(np.array(times, np.int64))

    assert [date.fromordinal(719_163 + int(day)) for day in days] == [as_datetime(ZONES[0], t).date() for t in times]


def test_an_hour_is_skipped_where_the_clock_was_put_forward():
    change = 1_541_300_400_000  # 2018-11-04T03:00:00Z

    assert written(ZONES[0], [change - 1, change]) == ["2018-11-03T23:59:59.999-03:00", "2018-11-04T01:00:00.000-02:00"]


def test_an_hour_comes_twice_where_the_clock_was_put_back():
    change = 1_550_368_800_000  # 2019-02-17T02:00:00Z

    assert written(ZONES[0], [change - 1, change]) == ["2019-02-16T23:59:59.999-02:00", "2019-02-16T23:00:00.000-03:00"]
