import pytest

from emulators.cosmos.refusals import Refusal
from emulators.cosmos.throughput import Budget, read_charge, write_charge


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("size", "written", "read"), [(0, 5, 1), (1, 5, 1), (1_024, 5, 1), (1_025, 10, 2), (102_400, 500, 100)]
)
def test_each_kilobyte_that_is_begun_is_charged(size, written, read):
    assert (write_charge(size), read_charge(size)) == (written, read)


def test_a_request_is_admitted_while_something_is_left_whatever_it_costs():
    budget = Budget(100, Clock())

    budget.admit()
    budget.take(250)

    with pytest.raises(Refusal) as refused:
        budget.admit()
    assert (refused.value.status, refused.value.substatus) == (429, 3200)
    assert (budget.spent, budget.refused) == (250, 1)


def test_a_refused_request_is_told_after_how_many_milliseconds_it_will_be_admitted():
    clock = Clock()
    budget = Budget(100, clock)
    budget.take(250)
    with pytest.raises(Refusal) as refused:
        budget.admit()

    clock.now += refused.value.retry_after_ms / 1000 - 0.002
    with pytest.raises(Refusal):
        budget.admit()
    clock.now += 0.003
    budget.admit()

    assert refused.value.retry_after_ms == 1_501


def test_what_is_not_used_is_kept_for_a_second_and_no_longer():
    clock = Clock()
    budget = Budget(100, clock)
    clock.now += 60

    budget.admit()
    budget.take(101)

    with pytest.raises(Refusal):
        budget.admit()


def test_a_partition_without_throughput_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        Budget(0, Clock())
