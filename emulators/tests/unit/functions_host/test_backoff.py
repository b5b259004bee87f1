from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.functions_host.backoff import RetryPolicy, backoff_seconds

SECOND = timedelta(seconds=1)
JITTERS = st.floats(0.8, 1.2)


def test_polling_goes_from_the_shortest_wait_to_the_longest():
    waits = [backoff_seconds(n, 0.1, 60.0, 1.0) for n in range(12)]

    assert waits == pytest.approx([0.1, 0.2, 0.3, 0.5, 0.9, 1.7, 3.3, 6.5, 12.9, 25.7, 51.3, 60.0])


@given(st.integers(0, 10**6), JITTERS, JITTERS)
def test_a_wait_is_never_beyond_its_limits_and_never_shorter_than_the_one_before_by_more_than_chance(n, one, other):
    wait, following = backoff_seconds(n, 0.1, 60.0, one), backoff_seconds(n + 1, 0.1, 60.0, other)

    assert 0.1 <= wait <= 60.0
    assert following >= min(60.0, wait / 1.5)


def test_a_fixed_delay_stays_the_same():
    policy = RetryPolicy(3, SECOND, SECOND)

    assert [policy.seconds(n, 1.0) for n in range(4)] == [1.0] * 4


def test_a_policy_allows_as_many_retries_as_it_says_and_minus_one_is_for_ever():
    assert [RetryPolicy(2, SECOND, SECOND).allows(n) for n in range(4)] == [True, True, False, False]
    assert RetryPolicy(-1, SECOND, SECOND).allows(10**6)
