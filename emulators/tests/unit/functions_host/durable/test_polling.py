from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from emulators.functions_host.durable.polling import WORK_ITEMS, Polling, control_queue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = st.floats(0, 10_000, allow_nan=False)


@given(SECONDS, st.integers(0, 100))
def test_nothing_waits_longer_than_the_polling_interval(seconds, seed):
    assert 0 <= Polling(30, seed).wait(WORK_ITEMS, NOW + timedelta(seconds=seconds)) < 30


@given(SECONDS)
def test_what_arrives_between_two_looks_is_taken_by_the_same_look(seconds):
    polling, moment = Polling(30, 1), NOW + timedelta(seconds=seconds)
    wait = polling.wait(WORK_ITEMS, moment)

    later = polling.wait(WORK_ITEMS, moment + timedelta(seconds=wait / 2))

    assert abs(later - wait / 2) < 0.001


def test_queues_and_seeds_are_looked_into_at_moments_of_their_own():
    waits = {Polling(30, seed).wait(queue, NOW) for seed in range(2) for queue in (WORK_ITEMS, control_queue("a"))}

    assert len(waits) == 4


def test_without_polling_nothing_waits():
    assert Polling().wait(WORK_ITEMS, NOW) == 0


def test_instances_are_spread_over_four_queues():
    assert len({control_queue(f"instance-{number}") for number in range(100)}) == 4
