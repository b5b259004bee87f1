import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.retrying import AmbiguousRefusal, Backoff, Clock, RetryPolicy, Timeouts, TransientError
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, Unavailable

TIMEOUTS = Timeouts(total=20.0, attempt=5.0, ordinary=Backoff(1.0, 8.0), throttled=Backoff(4.0, 8.0))
draws = st.floats(0, 1, exclude_max=True)


class Playing:
    """A clock that sleeping moves; `draw` is what chance gives."""

    def __init__(self, draw=0.5, timeouts=TIMEOUTS):
        self.now, self.slept, self.draw = 0.0, [], draw
        self.retry = RetryPolicy(timeouts, Clock(lambda: self.now, self.sleep, jitter=lambda: self.draw))

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def failing(*failures, taking=0.0, playing=None):
    """A call that raises these one after the other, then answers."""
    left, given = list(failures), []

    def attempt(seconds):
        given.append(seconds)
        if playing:
            playing.now += taking
        if left:
            raise left.pop(0)
        return "answer"

    return attempt, given


@given(failures=st.integers(1, 10_000), draw=draws)
def test_a_wait_is_never_longer_than_the_cap(failures, draw):
    assert 0 <= Backoff(0.5, 30.0).wait(failures, draw) <= 30.0


@pytest.mark.parametrize(("failures", "ceiling"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (500, 30.0)])
def test_the_ceiling_doubles_with_each_failure_up_to_the_cap(failures, ceiling):
    assert Backoff(0.5, 30.0).wait(failures, 0.5) == ceiling / 2


def test_waits_spread_over_the_whole_window_so_that_nobody_returns_at_once_with_all_others():
    waits = [Backoff(4.0).wait(1, number / 100) for number in range(100)]

    assert max(waits) - min(waits) >= 0.9 * 4.0


def test_a_call_that_answers_is_made_once():
    attempt, given = failing()

    assert Playing().retry.call(attempt) == "answer"
    assert given == [5.0]


def test_a_transient_failure_is_tried_again_after_a_drawn_wait_that_doubles():
    playing = Playing()
    attempt, given = failing(*(TransientError("no"),) * 3)

    assert playing.retry.call(attempt) == "answer"
    assert playing.slept == [0.5, 1.0, 2.0]
    assert len(given) == 4


def test_a_throttled_peer_is_given_more_time():
    playing = Playing()

    playing.retry.call(failing(TransientError("no", throttled=True))[0])

    assert playing.slept == [2.0]


@pytest.mark.parametrize("throttled", [True, False])
def test_the_wait_that_a_peer_asks_for_is_kept(throttled):
    playing = Playing()

    playing.retry.call(failing(TransientError("no", throttled=throttled, retry_after=7.0))[0])

    assert playing.slept == [7.0]


@given(draw=draws, retry_after=st.floats(0, 2_000), kind=st.sampled_from(FailureKind))
def test_a_peer_is_never_asked_sooner_than_it_said(draw, retry_after, kind):
    tries = Playing(draw).retry.begin()

    wait = tries.wait_after(kind, retry_after)

    assert wait is None or retry_after <= wait < TIMEOUTS.total


def test_a_wait_that_does_not_fit_ends_the_tries_at_once():
    playing = Playing()

    with pytest.raises(Unavailable, match=r"no .*tries: 1") as caught:
        playing.retry.call(failing(TransientError("no", throttled=True, retry_after=960.0))[0])

    assert playing.slept == []
    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.THROTTLED, 960.0)


def test_a_refused_login_that_is_ambiguous_is_tried_again():
    assert Playing().retry.call(failing(AmbiguousRefusal("no"))[0]) == "answer"


def test_a_refused_login_that_stays_ambiguous_is_a_refused_login():
    with pytest.raises(LoginRefused, match=r"no \(tries: \d+\)"):
        Playing().retry.call(failing(*(AmbiguousRefusal("no"),) * 99)[0])


def test_no_wait_is_given_where_no_try_would_fit_behind_it():
    tries = Playing(draw=0.9, timeouts=Timeouts(total=10.0)).retry.begin()

    waits = [tries.wait_after() for _ in range(6)]

    assert waits[-1] is None
    assert waits[0] == 0.45


def test_tries_end_with_the_last_failure_when_the_time_is_over():
    playing = Playing(draw=0.99)

    with pytest.raises(Unavailable, match="no") as caught:
        playing.retry.call(failing(*(TransientError("no"),) * 99)[0])

    assert playing.now <= TIMEOUTS.total
    assert not isinstance(caught.value, TransientError)


def test_a_try_gets_no_more_seconds_than_are_left():
    playing = Playing()
    attempt, given = failing(TransientError("no"), taking=16.0, playing=playing)

    playing.retry.call(attempt)

    assert given == [5.0, 3.5]


def test_a_caller_can_give_less_time():
    playing = Playing()
    attempt, given = failing(*(TransientError("no"),) * 99)

    with pytest.raises(Unavailable):
        playing.retry.call(attempt, within=2.0)

    assert playing.now <= 2.0
    assert given[0] == 2.0


@pytest.mark.parametrize("error", [Unavailable("no"), LoginRefused("no"), ValueError("no")])
def test_what_no_try_cures_is_raised_at_once(error):
    playing = Playing()

    with pytest.raises(type(error)) as caught:
        playing.retry.call(failing(error)[0])

    assert caught.value is error
    assert playing.slept == []
