from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.days import ONE_DAY, begins, day_of, moment, newest_due

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
ZONES = st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Lisbon"])
INSTANTS = st.integers(946_800_000, 4_102_300_000).map(lambda second: datetime.fromtimestamp(second, UTC))


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 11, 27, 2, 59, 59, tzinfo=UTC), date(2026, 11, 26)),
        (datetime(2026, 11, 27, 3, tzinfo=UTC), date(2026, 11, 27)),
    ],
)
def test_an_instant_lies_in_the_day_that_the_clock_of_the_zone_shows(instant, day):
    assert day_of(instant, SAO_PAULO) == day


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 11, 27, 4, 59, 59, tzinfo=UTC), date(2026, 11, 26)),
        (datetime(2026, 11, 27, 5, tzinfo=UTC), date(2026, 11, 27)),
        (datetime(2026, 11, 28, 4, 59, 59, tzinfo=UTC), date(2026, 11, 27)),
    ],
)
def test_two_in_the_morning_is_that_of_the_zone(now, due):
    assert newest_due(now, time(2), SAO_PAULO) == due


def test_where_the_clock_leaps_over_a_time_it_is_due_as_far_behind_the_leap():
    leapt = moment(date(2018, 11, 4), time(0, 30), SAO_PAULO)  # the clock went from 00:00 to 01:00 that night

    assert leapt == datetime(2018, 11, 4, 3, 30, tzinfo=UTC)
    assert begins(date(2018, 11, 4), SAO_PAULO) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_time_that_the_clock_shows_twice_is_due_at_the_first_and_stays_due():
    first = datetime(2019, 2, 17, 1, 30, tzinfo=UTC)  # the clock went from 24:00 back to 23:00 that night

    days = [newest_due(first + hours * timedelta(hours=1), time(23, 30), SAO_PAULO) for hours in (0, 1, 2)]

    assert moment(date(2019, 2, 16), time(23, 30), SAO_PAULO) == first
    assert days == [date(2019, 2, 16)] * 3


@pytest.mark.parametrize(("day", "hours"), [(date(2018, 11, 4), 23), (date(2019, 2, 16), 25), (date(2026, 11, 27), 24)])
def test_a_day_is_as_long_as_the_clock_makes_it(day, hours):
    assert begins(day + ONE_DAY, SAO_PAULO) - begins(day, SAO_PAULO) == timedelta(hours=hours)


@given(now=INSTANTS, at=st.times(), zone=ZONES)
def test_the_newest_due_day_has_come_and_the_one_after_it_has_not(now, at, zone):
    day = newest_due(now, at, ZoneInfo(zone))

    assert moment(day, at, ZoneInfo(zone)) <= now < moment(day + ONE_DAY, at, ZoneInfo(zone))


@given(instant=INSTANTS, zone=ZONES)
def test_every_instant_lies_between_the_beginning_of_its_day_and_that_of_the_next(instant, zone):
    day = day_of(instant, ZoneInfo(zone))

    assert begins(day, ZoneInfo(zone)) <= instant < begins(day + ONE_DAY, ZoneInfo(zone))
