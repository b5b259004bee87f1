import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.exchange.instants import from_text, to_text


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_a_moment_survives_its_text(moment):
    assert from_text(to_text(moment)) == moment


def test_six_decimals_are_always_written():
    assert to_text(1_795_341_600_000_000) == "2026-11-22T10:00:00.000000Z"


@pytest.mark.parametrize("text", ["yesterday", "2026-11-22T10:00:00"])
def test_a_text_that_names_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=text):
        from_text(text)
