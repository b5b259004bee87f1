from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.application_insights.durations import milliseconds_of


@given(st.integers(0, 1_000 * 24 * 60 * 60 * 1_000 - 1))
def test_what_an_exporter_writes_is_read(milliseconds):
    seconds, rest = divmod(milliseconds, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)

    read = milliseconds_of(f"{days:d}.{hours:02d}:{minutes:02d}:{seconds:02d}.{rest:03d}")

    assert timedelta(milliseconds=round(read)) == timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    ("text", "expected"), [("00:00:01", 1_000), ("00:00:00.0000001", 0), ("1.00:00:00", 86_400_000)]
)
def test_days_and_fractions_may_be_left_out(text, expected):
    assert milliseconds_of(text) == expected


@pytest.mark.parametrize("text", ["", "1", "24:00:00", "00:60:00", "00:00:60", "1000.00:00:00", "-00:00:01", "PT1S"])
def test_what_is_no_duration_is_none(text):
    assert milliseconds_of(text) is None
