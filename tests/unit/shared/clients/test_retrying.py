import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.retrying import Backoff, Timeouts

draws = st.floats(0, 1, exclude_max=True)


@given(failures=st.integers(1, 10_000), draw=draws)
def test_a_wait_is_never_longer_than_the_cap(failures, draw):
    assert 0 <= Backoff(0.5, 30.0).wait(failures, draw) <= 30.0


@pytest.mark.parametrize(("failures", "ceiling"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (500, 30.0)])
def test_the_ceiling_doubles_with_each_failure_up_to_the_cap(failures, ceiling):
    assert Backoff(0.5, 30.0).wait(failures, 0.5) == ceiling / 2


def test_waits_spread_over_the_whole_window_so_that_nobody_returns_at_once_with_all_others():
    waits = [Backoff(4.0).wait(1, number / 100) for number in range(100)]

    assert max(waits) - min(waits) >= 0.9 * 4.0


def test_a_busy_peer_is_given_more_time():
    patience = Timeouts()

    assert patience.wait(1, busy=True, left=45, draw=0.5) == 2.0
    assert patience.wait(1, busy=False, left=45, draw=0.5) == 0.25


def test_no_wait_is_given_where_no_attempt_would_fit_after_it():
    assert Timeouts().wait(9, busy=False, left=10, draw=0.9) is None
