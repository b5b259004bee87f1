"""The fault queue: by count, for a time, by chance."""

import msgspec
import pytest

from emulators.faults import FaultQueue, Limits


class Fault(msgspec.Struct, frozen=True):
    kind: str
    count: int | None = None
    seconds: float | None = None
    share: float | None = None
    seed: int = 0

    @property
    def limits(self):
        return Limits(self.count, self.seconds, self.share, self.seed)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(clock):
    return FaultQueue(clock)


def consumed(queue, kind="late"):
    fault = queue.consume(lambda fault: fault.kind == kind)
    return fault and fault.count


def test_empty_queue_injects_nothing(queue):
    assert queue.consume(lambda _: True) is None
    assert (queue.active(), queue.holding(lambda _: True)) == ([], [])


def test_counted_fault_is_injected_as_often_as_it_says(queue):
    queue.add(Fault("late", count=2))

    assert [consumed(queue) for _ in range(3)] == [2, 2, None]


def test_fault_is_injected_only_into_what_it_concerns(queue):
    queue.add(Fault("hole", count=1))

    assert consumed(queue, "late") is None
    assert consumed(queue, "hole") == 1


def test_fault_that_is_used_up_makes_way_for_the_next(queue):
    queue.add(Fault("late", count=1))
    queue.add(Fault("late", count=5))

    assert [consumed(queue) for _ in range(2)] == [1, 5]


def test_timed_fault_holds_until_its_seconds_are_over(queue, clock):
    queue.add(Fault("down", seconds=3))

    held = []
    for clock.now in (100.0, 102.9, 103.0):
        held.append(bool(queue.holding(lambda fault: fault.kind == "down")))

    assert held == [True, True, False]


def test_fault_without_limits_holds_until_the_queue_is_cleared(queue, clock):
    queue.add(Fault("limit"))
    clock.now += 1e9

    before = queue.holding(lambda _: True)
    queue.clear()

    assert (len(before), queue.holding(lambda _: True)) == (1, [])


def test_chance_hits_about_its_share_and_the_same_ones_for_a_seed():
    runs = []
    for _ in range(2):
        queue = FaultQueue()
        queue.add(Fault("drop", share=0.05, seed=7))
        runs.append([queue.consume(lambda _: True) is not None for _ in range(1000)])

    assert runs[0] == runs[1]
    assert 30 <= sum(runs[0]) <= 75


def test_description_has_the_fields_what_happened_and_what_is_left(queue, clock):
    queue.add(Fault("late", count=3))
    queue.add(Fault("down", seconds=4.0))
    consumed(queue)
    clock.now += 1

    late, down = queue.active()

    assert (late["kind"], late["injected"], late["met"], late["left"]) == ("late", 1, 1, 2)
    assert (down["seconds_left"], "left" in down, "seconds_left" in late) == (3.0, False, False)


def test_history_keeps_what_is_used_up_until_it_is_cleared(queue):
    queue.add(Fault("late", count=1))
    for _ in range(3):
        consumed(queue)

    (kept,) = queue.history()
    queue.clear()

    assert (kept["injected"], kept["met"]) == (1, 3)
    assert queue.history() == []


def test_active_faults_are_those_that_still_hold(queue):
    queue.add(Fault("late", count=1))

    consumed(queue)

    assert queue.active() == []
