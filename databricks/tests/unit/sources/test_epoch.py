"""One way to write when a hub was created."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.epoch import EpochRefused, epoch_of, folder_of

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(TIMES, st.integers(-12, 12))
def test_the_same_time_has_one_spelling_whatever_its_offset(time, hours):
    elsewhere = time.astimezone(timezone(timedelta(hours=hours)))

    assert epoch_of(time.isoformat()) == epoch_of(elsewhere.isoformat()) == epoch_of(epoch_of(time.isoformat()))


@given(TIMES, TIMES)
def test_epochs_compare_as_their_times_do(one, other):
    whole = [time.replace(microsecond=time.microsecond // 1000 * 1000) for time in (one, other)]

    assert (epoch_of(one.isoformat()) < epoch_of(other.isoformat())) == (whole[0] < whole[1])


def test_an_unknown_epoch_is_empty_and_older_than_any():
    assert epoch_of("") == ""
    assert epoch_of("") < epoch_of("0001-01-01T00:00:00Z")


@pytest.mark.parametrize("text", ["monday", "2026-11-22T10:00:00", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_with_an_offset_is_refused(text):
    with pytest.raises(EpochRefused, match=f"created_at: '{text}'"):
        epoch_of(text)


def test_each_epoch_has_a_checkpoint_of_its_own():
    assert folder_of("trades", "", epoch_of("2026-11-22T10:00:00.120Z")) == "trades-20261122T100000120000Z"
    assert folder_of("trades", "") == "trades"


def test_each_hub_but_the_first_has_a_checkpoint_of_its_own():
    epoch = epoch_of("2026-11-22T10:00:00.120Z")

    assert folder_of("trades", "deals.b") == "trades-hub-deals.b"
    assert folder_of("trades", "deals.b", epoch) == "trades-20261122T100000120000Z-hub-deals.b"
