from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.window import parse_stamp, stamp

HOURS = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
FIRST, LAST = datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30")


@given(st.datetimes(FIRST, LAST, timezones=HOURS))
def test_a_stamp_of_any_time_is_sixteen_characters_in_order_and_is_read_back_exactly(instant):
    second = instant.replace(microsecond=0)

    assert len(stamp(instant)) == 16
    assert parse_stamp(stamp(instant)) == second
    assert stamp(second) < stamp(second + timedelta(seconds=1))


@given(st.text("0123456789TZ\u0661 -", max_size=18) | st.from_regex(r"[0-9]{7,8}T[0-9]{5,6}Z", fullmatch=True))
def test_what_is_read_as_a_stamp_is_what_a_stamp_writes(text):
    try:
        instant = parse_stamp(text)
    except ValueError:
        return

    assert stamp(instant) == text


@pytest.mark.parametrize("text", ["9991122T130000Z", "2026112T10000Z", "\u06f2026-1122T130000Z", ""])
def test_another_text_is_no_stamp(text):
    with pytest.raises(ValueError, match=r"does not match|unconverted"):
        parse_stamp(text)


def test_the_first_years_have_four_digits():
    assert stamp(datetime(999, 11, 22, 13, tzinfo=UTC)) == "09991122T130000Z"
