import pytest

from shared.clients.persistence import RetryPolicy, Tempo, TransientError, retry_after_seconds
from shared.clients.retrying import Backoff, Timeouts
from shared.errors import LoginRefused, Unavailable

PATIENCE = Timeouts(total=20.0, attempt=5.0, ordinary=Backoff(1.0, 8.0), busy=Backoff(4.0, 8.0))


class Playing:
    """A clock that sleeping moves; `draw` is what chance gives."""

    def __init__(self, draw=0.5):
        self.now, self.slept, self.draw = 0.0, [], draw

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    @property
    def persistence(self):
        return RetryPolicy(PATIENCE, Tempo(lambda: self.now, self.sleep, lambda: self.draw))


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


def test_a_call_that_answers_is_made_once():
    attempt, given = failing()

    assert Playing().persistence.call(attempt) == "answer"
    assert given == [5.0]


def test_a_passing_failure_is_tried_again_after_a_drawn_wait_that_doubles():
    playing = Playing()
    attempt, given = failing(*(TransientError("no"),) * 3)

    assert playing.persistence.call(attempt) == "answer"
    assert playing.slept == [0.5, 1.0, 2.0]
    assert len(given) == 4


def test_a_busy_peer_is_given_more_time():
    playing = Playing()

    playing.persistence.call(failing(TransientError("no", busy=True))[0])

    assert playing.slept == [2.0]


def test_the_wait_that_a_peer_asks_for_is_kept():
    playing = Playing()

    playing.persistence.call(failing(TransientError("no", busy=True, retry_after=7.0))[0])

    assert playing.slept == [7.0]


def test_a_wait_that_does_not_fit_ends_the_tries_at_once():
    playing = Playing()

    with pytest.raises(Unavailable, match=r"no .*tries: 1"):
        playing.persistence.call(failing(TransientError("no", retry_after=60.0))[0])

    assert playing.slept == []


def test_tries_end_with_the_last_failure_when_patience_is_over():
    playing = Playing(draw=0.99)

    with pytest.raises(Unavailable, match="no") as caught:
        playing.persistence.call(failing(*(TransientError("no"),) * 99)[0])

    assert playing.now <= PATIENCE.total
    assert not isinstance(caught.value, TransientError)


def test_a_try_gets_no_more_seconds_than_are_left():
    playing = Playing()
    attempt, given = failing(TransientError("no"), taking=16.0, playing=playing)

    playing.persistence.call(attempt)

    assert given == [5.0, 3.5]


def test_a_caller_can_be_less_patient():
    playing = Playing()
    attempt, given = failing(*(TransientError("no"),) * 99)

    with pytest.raises(Unavailable):
        playing.persistence.call(attempt, within=2.0)

    assert playing.now <= 2.0
    assert given[0] == 2.0


@pytest.mark.parametrize("error", [Unavailable("no"), LoginRefused("no"), ValueError("no")])
def test_what_no_try_cures_is_raised_at_once(error):
    playing = Playing()

    with pytest.raises(type(error)) as caught:
        playing.persistence.call(failing(error)[0])

    assert caught.value is error
    assert playing.slept == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Sun, 22 Nov 2026 10:00:00 GMT", 0.0),
        ("-1", 0.0),
        ("inf", 0.0),
        ("nan", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_read_in_seconds_alone(value, seconds):
    assert retry_after_seconds({"Retry-After": value}) == seconds


def test_no_retry_after_is_no_wait():
    assert retry_after_seconds({}) == 0.0
