from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost.spans import share_of_time, union
from tests.unit.cost.cases import HOUR, MINUTE, feed

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
minutes = st.integers(0, 300)


def at(minute):
    return BEGIN + minute * MINUTE


@given(st.lists(st.tuples(minutes, minutes)))
def test_time_that_several_spans_cover_counts_once(pairs):
    covered = {minute for begin, length in pairs for minute in range(begin, begin + length) if minute < 400}

    total = union([(at(begin), at(begin + length)) for begin, length in pairs], BEGIN, at(400))

    assert total == len(covered) * MINUTE


@pytest.mark.parametrize(
    ("every", "length", "after", "share"),
    [
        (HOUR, HOUR, timedelta(), 1.0),
        (4 * HOUR, HOUR, timedelta(), 1 / 4),
        (4 * HOUR, HOUR, HOUR, 1 / 2),
        (24 * HOUR, HOUR, 23 * HOUR, 1.0),
        (48 * HOUR, HOUR, HOUR, 1 / 24),
    ],
)
def test_the_share_is_that_of_windows_and_what_follows_them(every, length, after, share):
    found = share_of_time([feed(every, length)], lambda _, window: (window.start, window.end + after))

    assert found == pytest.approx(share)


def test_without_windows_nothing_is_on():
    assert share_of_time([], lambda _, window: (window.start, window.end)) == 0.0
