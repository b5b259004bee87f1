"""Runs of days: what days look at is read between the ends of each run."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.pipelines.kinds.day import runs_of

FIRST = date(2026, 11, 1)
TWO_DAYS = timedelta(days=2)
days = st.sets(st.dates(FIRST, FIRST + timedelta(days=400)), min_size=1, max_size=60).map(sorted)


def day(number):
    return date(2026, 11, number)


def test_days_of_which_each_is_within_reach_of_the_one_before_are_one_run():
    assert runs_of([day(1), day(3), day(5)], TWO_DAYS) == [(day(1), day(5))]


def test_a_longer_gap_parts_two_runs():
    assert runs_of([day(1), day(2), day(5)], TWO_DAYS) == [(day(1), day(2)), (day(5), day(5))]


def test_of_many_runs_those_that_lie_closest_together_are_one():
    lone = [FIRST + timedelta(days=10 * number) for number in range(15)]
    close = [lone[-1] + timedelta(days=20), lone[-1] + timedelta(days=25)]

    assert runs_of([*lone, *close], TWO_DAYS) == [*((one, one) for one in lone), (close[0], close[1])]


@given(days)
def test_each_day_lies_in_one_run_alone_and_there_are_at_most_sixteen(found):
    runs = runs_of(found, TWO_DAYS)

    assert len(runs) <= 16
    assert [sum(first <= one <= last for first, last in runs) for one in found] == [1] * len(found)
