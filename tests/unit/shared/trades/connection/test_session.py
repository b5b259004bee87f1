"""How long the client waits before it connects again."""

from hypothesis import given
from hypothesis import strategies as st

from shared.trades.connection.session import LONGEST_WAIT, Backoff


def test_ceiling_doubles_from_half_a_second_to_thirty():
    backoff = Backoff(jitter=lambda ceiling: ceiling)

    assert [backoff.next() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_jitter_draws_the_wait_below_the_ceiling():
    backoff = Backoff(jitter=lambda ceiling: ceiling / 4, failures=2)

    assert backoff.next() == 0.5


def test_wait_that_the_venue_asks_for_is_honoured():
    assert Backoff(jitter=lambda _: 0.1).next(asked=7.0) == 7.0


@given(failures=st.integers(0, 10_000), asked=st.none() | st.floats(0, 1e9))
def test_no_wait_is_longer_than_thirty_seconds(failures, asked):
    assert Backoff(lambda ceiling: ceiling, failures).next(asked) <= LONGEST_WAIT
