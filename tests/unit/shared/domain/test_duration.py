from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.duration import format_duration, read_duration


@given(st.integers(0, 9999 * 3600 + 3599))
def test_what_is_written_reads_back(seconds):
    length = timedelta(seconds=seconds)

    assert read_duration(format_duration(length)) == length


def test_a_fraction_is_read_as_microseconds():
    assert read_duration("00:00:00.5") == timedelta(milliseconds=500)


@pytest.mark.parametrize("text", ["", "1", "00:60:00", "00:00:60", "-01:00:00", "00:00:00.", "10000:00:00", "٠٠:٠٠:٠٠"])
def test_anything_else_is_refused_with_the_rule(text):
    with pytest.raises(ValueError, match="hh:mm:ss"):
        read_duration(text)
