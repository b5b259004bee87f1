"""How Cosmos DB beside a hub is judged."""

import pytest

from lakehouse.counting.beside import Beside


@pytest.mark.parametrize(
    ("found", "in_spill", "verdict"),
    [
        (Beside(both=5), 0, "equal"),
        (Beside(both=5), 3, "equal"),
        (Beside(), 0, "equal"),
        (Beside(both=5, only_in_hub=2), 2, "waiting"),
        (Beside(both=5, only_in_hub=2), 3, "waiting"),
        (Beside(both=5, only_in_hub=2), 1, "apart"),
        (Beside(both=5, only_in_cosmos=1), 9, "apart"),
        (Beside(both=5, different=1), 9, "apart"),
        (Beside(both=5, only_in_hub=1, different=1), 9, "apart"),
        (Beside(both=5, quarantined=1), 9, "apart"),
    ],
)
def test_a_difference_that_the_spill_explains_waits_and_any_other_is_one(found, in_spill, verdict):
    assert found.verdict(in_spill) == verdict
    assert list(found.as_rows(in_spill))[-2:] == [("cosmos", "in_spill", in_spill), ("cosmos", verdict, found.apart)]


def test_while_a_window_is_open_nothing_is_judged():
    assert list(Beside(1, 2, 3, 4, 5).as_rows(None)) == [
        ("cosmos", "both", 1),
        ("cosmos", "only_in_hub", 2),
        ("cosmos", "only_in_cosmos", 3),
        ("cosmos", "different", 4),
        ("cosmos", "quarantined", 5),
    ]
