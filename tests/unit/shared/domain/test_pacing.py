from hypothesis import given
from hypothesis import strategies as st

from shared.domain.pacing import due, next_tick

SECOND = 1_000_000
rates = st.floats(0.01, 200_000, allow_nan=False)
moments = st.integers(0, 24 * 3600 * SECOND)


@given(rate=rates, earlier=moments, later=moments)
def test_what_is_due_never_falls(rate, earlier, later):
    first, last = sorted((earlier, later))

    assert due(first, rate, 10**12) <= due(last, rate, 10**12)


@given(rate=st.integers(1, 200_000), seconds=st.integers(1, 86_400))
def test_at_the_end_of_a_slice_exactly_its_records_are_due(rate, seconds):
    assert due(seconds * SECOND, rate, rate * seconds) == rate * seconds


@given(rate=rates, at=moments, total=st.integers(0, 1_000_000))
def test_never_more_than_the_slice_holds_is_due(rate, at, total):
    assert 0 <= due(at, rate, total) <= total


def test_nothing_is_due_before_the_slice_begins():
    assert due(-5 * SECOND, 1_000, 100) == 0


@given(rate=st.floats(1, 50_000), hiccups=st.lists(st.integers(1, 3 * SECOND), min_size=1, max_size=60))
def test_whatever_the_hiccups_the_pace_is_kept_within_a_thousandth(rate, hiccups):
    now, sent = 0, 0
    for hiccup in hiccups:
        now += hiccup
        sent += due(now, rate, 10**12) - sent

    assert abs(sent - rate * now / SECOND) <= max(1, 0.001 * rate * now / SECOND)


@given(rate=rates, at=moments, every=st.integers(1_000, SECOND), before=moments)
def test_the_next_tick_lies_ahead_on_the_grid_and_brings_a_record(rate, at, every, before):
    tick = next_tick(at, rate, every, before)

    assert tick > at
    assert tick % every == 0
    assert due(tick, rate, 10**12, before) > due(at, rate, 10**12, before)


@given(rate=st.floats(0.0001, 1_000), slices=st.lists(st.integers(1, 600), min_size=1, max_size=20))
def test_slices_of_whatever_length_owe_together_what_their_window_owes(rate, slices):
    starts = [sum(slices[:number]) for number in range(len(slices) + 1)]

    owed = [due(length * SECOND, rate, 10**12, start * SECOND) for start, length in zip(starts, slices, strict=False)]

    assert sum(owed) == due(starts[-1] * SECOND, rate, 10**12)


def test_a_record_that_comes_each_thousand_seconds_is_due_in_the_slice_that_has_that_second():
    assert due(100 * SECOND, 0.001, 1, before_us=900 * SECOND) == 1
    assert next_tick(0, 0.001, 500_000, before_us=900 * SECOND) == 100 * SECOND


def test_a_slow_feed_does_not_wake_up_for_nothing():
    assert next_tick(0, rate=0.5, every_us=100_000) == 2 * SECOND
