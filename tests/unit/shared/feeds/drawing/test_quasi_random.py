from math import sqrt

from shared.feeds.drawing import quasi_random


def test_assigned_values_are_even_from_the_first_number_on():
    for stretch in (100, 1000, 10_000):
        assert abs(quasi_random.unit(stretch, sqrt(2)).mean() - 0.5) < 1 / stretch**0.5 / 4
        assert abs(sum(quasi_random.percent(3, stretch, sqrt(31))) - stretch * 0.03) <= 3


def test_each_value_is_assigned_by_its_share():
    values = quasi_random.assign(["a", "b", "b", "b"], 1000, sqrt(3))

    assert abs(values.count("a") - 250) <= 5
