from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feeds.drawing.numerals import MOST, money, numerals


def texts(column):
    return [bytes(one).decode() for one in column]


@given(st.lists(st.integers(0, MOST)))
def test_a_number_is_written_as_json_has_it_with_spaces_before_it(numbers):
    written = texts(numerals(np.array(numbers, np.int64)))

    assert written == [f"{number:8d}" for number in numbers]


@pytest.mark.parametrize("number", [0, 9, 10, 9_999, 10_000, 10_001, 99_990_000, MOST])
def test_the_edges_of_its_two_halves_are_right(number):
    assert texts(numerals(np.array([number]))) == [f"{number:8d}"]


@given(st.lists(st.integers(0, 10**10 - 1)))
def test_an_amount_has_two_digits_behind_the_point(hundredths):
    written = texts(money(np.array(hundredths, np.int64)))

    assert [Decimal(text.strip()) for text in written] == [Decimal(one).scaleb(-2) for one in hundredths]
    assert all(len(text) == 11 and text[-3] == "." for text in written)
