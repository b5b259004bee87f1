from datetime import UTC, datetime
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.volumes.measurement import (
    Counted,
    Limits,
    MeasuredTable,
    Measurement,
    MeasureRequest,
    judge,
    limits_of,
    measured,
)
from tests.hostile_tables import HOSTILE_TABLES

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DELTAS = st.lists(st.integers(0, 10**12), max_size=30)


def verdict_of(delta, history=(), floor=1000, *, is_first=False):
    return judge(delta, limits_of(floor, list(history)), is_first=is_first)


@pytest.mark.parametrize(
    ("delta", "verdict"), [(1000, "first"), (999, "low"), (0, "low"), (-1, "negative"), (10**12, "first")]
)
def test_a_first_measurement_is_compared_with_the_floor_alone(delta, verdict):
    assert verdict_of(delta, is_first=True) == verdict


@pytest.mark.parametrize(
    ("delta", "verdict"),
    [(2000, "normal"), (1999, "low"), (4000, "normal"), (12_000, "normal"), (12_001, "high"), (-5, "negative")],
)
def test_from_five_good_measurements_on_the_median_sets_limits_too(delta, verdict):
    assert verdict_of(delta, [4000] * 5) == verdict


@pytest.mark.parametrize("delta", [1000, 10**9])
def test_with_four_good_measurements_nothing_but_the_floor_is_known(delta):
    assert verdict_of(delta, [4000] * 4) == "normal"


def test_below_the_floor_is_low_where_the_median_would_allow_it():
    assert verdict_of(999, [1000] * 14) == "low"


def test_limits_say_what_they_are_based_on():
    assert limits_of(7, [10, 20, 30, 40, 50]) == Limits(7, 15.0, 90.0, 30.0, 5)
    assert limits_of(7, [10]) == Limits(7, based_on=1)


@given(DELTAS)
def test_only_the_last_fourteen_good_measurements_count(history):
    assert limits_of(0, history) == limits_of(0, history[:14])


@given(st.lists(st.integers(0, 10**12), min_size=5, max_size=14), st.integers(0, 10**13))
def test_every_volume_from_half_to_three_times_the_median_is_normal(history, delta):
    is_within = 0.5 * median(history) <= delta <= 3 * median(history)

    assert (verdict_of(delta, history, floor=0) == "normal") == is_within


def test_a_measurement_with_a_window_is_of_another_kind():
    assert MeasureRequest("trades", "r1", NOON, "trades-1").kind == "window"
    assert MeasureRequest("trades", "r1", NOON).kind == "table"


@pytest.mark.parametrize("name", HOSTILE_TABLES)
def test_a_table_of_a_hostile_name_can_not_be_measured(name):
    with pytest.raises(ValueError, match="must name tables by a letter"):
        MeasuredTable("trades", name, "trades", 1, "ingestion")


@pytest.mark.parametrize("name", ["Trades", "_", "T1", "enrichment_pipeline_metrics", "T" * 128])
def test_a_table_of_a_plain_name_can_be_measured(name):
    assert MeasuredTable("trades", name, "trades", 1, "ingestion").table == name


def test_what_was_counted_is_judged_by_the_tables_floor_and_its_history():
    request, table = MeasureRequest("trades", "r1", NOON, "w1"), MeasuredTable("trades", "Trades", "trades", 7, "x")

    found = measured(request, table, Counted(12, 90, [100] * 5, is_first=False), NOON)

    assert found == Measurement(request, 12, 90, "low", Limits(7, 50.0, 300.0, 100.0, 5), "none", NOON)


def verdict_after(delta, *recent, floor=1000, healthy=True, usual=4000):
    request, table = MeasureRequest("trades", "r1", NOON, "w1"), MeasuredTable("trades", "Trades", "trades", floor, "x")
    counted = Counted(delta, 10**6, [usual] * 14, is_first=False, recent=recent)
    return measured(request, table, counted, NOON, healthy=healthy).verdict


def test_five_volumes_in_a_row_that_are_too_high_and_alike_are_a_new_level():
    row = [("high", 16_000), ("high", 17_000), ("high", 15_500), ("high", 14_000)]

    assert verdict_after(16_500, *row) == "new_level"
    assert verdict_after(16_500, *row[:3]) == "high"


def test_five_volumes_in_a_row_that_are_too_low_and_alike_are_a_new_level():
    assert verdict_after(1600, *[("low", 1500)] * 4) == "new_level"


@pytest.mark.parametrize(
    ("delta", "recent"),
    [
        (16_000, [("high", 16_000)] * 3 + [("normal", 4000)]),
        (16_000, [("low", 1900)] + [("high", 16_000)] * 3),
        (16_000, [("high", 40_000)] + [("high", 16_000)] * 3),
        (16_000, [("new_level", 16_000)] + [("high", 16_000)] * 3),
    ],
)
def test_volumes_that_are_not_alike_or_not_in_a_row_are_no_level(delta, recent):
    assert verdict_after(delta, *recent) == "high"


@pytest.mark.parametrize(("level", "floor"), [(0, 0), (0, 1000), (999, 1000)])
def test_nothing_and_what_is_below_the_floor_is_never_a_level(level, floor):
    assert verdict_after(level, *[("low", level)] * 4, floor=floor) == "low"


def test_rows_that_went_are_never_a_level():
    assert verdict_after(-5, *[("negative", -5)] * 4, floor=0) == "negative"


def test_a_run_with_which_something_else_is_wrong_makes_no_level():
    assert verdict_after(16_000, *[("high", 16_000)] * 4, healthy=False) == "high"
