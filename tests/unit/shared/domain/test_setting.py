import pytest

from shared.domain import setting


@pytest.mark.parametrize(("written", "number"), [("1", 1), (" 30 ", 30), ("007", 7)])
def test_a_whole_number_of_a_range_is_read(written, number):
    assert setting.WholeNumber(1, 30)(written) == number


@pytest.mark.parametrize("written", ["0", "31", "", "1.0", "-1", "+1", "٣", "1" * 5000])
def test_a_number_that_is_not_of_the_range_is_refused_with_it(written):
    with pytest.raises(ValueError, match="must be a whole number from 1 to 30"):
        setting.WholeNumber(1, 30)(written)
