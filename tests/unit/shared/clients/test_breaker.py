import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.breaker import Breaker


def failing(times: int, *, at: float = 0.0, draw: float = 1.0) -> Breaker:
    breaker = Breaker(threshold=3, rest=30.0)
    for number in range(times):
        breaker = breaker.failed(at + number, began=at + number, draw=draw)
    return breaker


def test_two_failures_in_a_row_leave_it_closed():
    assert failing(2).wait(now=2.0) == 0


def test_the_third_failure_in_a_row_opens_it_for_its_rest():
    breaker = failing(3)

    assert breaker.is_open
    assert breaker.wait(now=2.0) == 30.0


@pytest.mark.parametrize(("draw", "rest"), [(0.0, 15.0), (0.5, 22.5)])
def test_a_rest_is_drawn_from_the_upper_half_of_the_longest(draw, rest):
    assert failing(3, draw=draw).wait(now=2.0) == rest


def test_a_success_in_between_starts_the_count_anew():
    breaker = failing(2).succeeded().failed(9.0, began=9.0, draw=1.0)

    assert not breaker.is_open


def test_after_its_rest_one_probe_is_let_through_and_others_wait():
    breaker = failing(3)
    assert breaker.wait(now=32.0) == 0

    probing = breaker.begun(32.0)

    assert probing.wait(now=32.0) == 30.0


def test_a_failed_probe_opens_it_again():
    breaker = failing(3).begun(32.0).failed(40.0, began=32.0, draw=1.0)

    assert breaker.wait(now=40.0) == 30.0


def test_a_probe_that_succeeds_closes_it():
    breaker = failing(3).begun(32.0).succeeded()

    assert breaker.wait(now=32.0) == 0


def test_tries_that_ran_side_by_side_and_failed_together_count_once():
    breaker = Breaker()
    for _ in range(4):
        breaker = breaker.failed(10.0, began=1.0, draw=1.0)

    assert breaker.failures == 1


@given(st.lists(st.booleans(), max_size=50))
def test_it_is_open_exactly_when_the_last_three_tries_failed(outcomes):
    breaker = Breaker(threshold=3)
    for moment, works in enumerate(outcomes):
        breaker = breaker.succeeded() if works else breaker.failed(moment, began=moment, draw=0.5)

    assert breaker.is_open == (outcomes[-3:] == [False] * 3)
