import pytest

from emulators.event_hubs.errors import LIMIT_EXCEEDED, STOLEN, Refusal
from emulators.event_hubs.readers import Readers

PLACE = ("trades", "$Default", "0")


class FakeReader:
    def __init__(self, owner_level=None):
        self.owner_level = owner_level
        self.stolen_by = None

    def steal(self, by):
        self.stolen_by = by


def entered(*readers, place=PLACE):
    found = Readers()
    for reader in readers:
        found.enter(place, reader)
    return found


@pytest.mark.parametrize(("old", "new"), [(None, 0), (0, 0), (0, 1)])
def test_a_reader_of_the_same_or_a_higher_level_steals_the_partition(old, new):
    first, second = FakeReader(old), FakeReader(new)

    entered(first, second)

    assert first.stolen_by.condition == STOLEN
    assert second.stolen_by is None


@pytest.mark.parametrize(("old", "new"), [(0, None), (2, 1)])
def test_a_reader_of_a_lower_level_or_none_is_refused(old, new):
    first = FakeReader(old)

    with pytest.raises(Refusal, match="stolen"):
        entered(first, FakeReader(new))

    assert first.stolen_by is None


def test_the_sixth_reader_without_a_level_is_refused():
    readers = entered(*(FakeReader() for _ in range(5)))

    with pytest.raises(Refusal) as refused:
        readers.enter(PLACE, FakeReader())

    assert refused.value.condition == LIMIT_EXCEEDED


def test_a_reader_that_left_makes_room():
    first = FakeReader(3)
    readers = entered(first)

    readers.leave(PLACE, first)
    readers.leave(PLACE, first)

    readers.enter(PLACE, FakeReader(1))


def test_groups_and_partitions_do_not_disturb_each_other():
    first = FakeReader(5)
    readers = entered(first)

    readers.enter(("trades", "audit", "0"), FakeReader(1))
    readers.enter(("trades", "$Default", "1"), FakeReader(1))

    assert first.stolen_by is None
