"""Ranges of ids behave as the sets that they stand for."""

from hypothesis import given
from hypothesis import strategies as st

from shared.trades.completeness.id_ranges import (
    AFTER,
    BEFORE,
    OURS,
    IdRangeSet,
    longest,
    normalised,
    size,
    within,
    without,
)

SMALL = st.integers(0, 40)
RANGES = st.lists(st.tuples(SMALL, SMALL).map(lambda pair: (min(pair), max(pair))), max_size=8)


def ids_of(ranges):
    return {one for first, last in ranges for one in range(first, last + 1)}


@given(st.lists(st.tuples(SMALL, st.sampled_from([BEFORE, OURS, AFTER]))))
def test_ids_are_kept_once_with_the_side_first_given(added):
    ranges, truth = IdRangeSet(), {}
    for trade_id, side in added:
        assert ranges.add(trade_id, side) == (trade_id not in truth)
        truth.setdefault(trade_id, side)

    for side in (BEFORE, OURS, AFTER):
        assert ids_of(ranges.of_side(side)) == {one for one, its in truth.items() if its == side}
    assert ids_of(ranges.all_sides()) == set(truth)
    assert ranges.top == max(truth, default=-2)


@given(st.sets(SMALL, min_size=1))
def test_holes_are_what_lies_between_the_lowest_and_the_highest(ids):
    ranges = IdRangeSet()
    for one in ids:
        ranges.add(one, OURS)

    assert ids_of(ranges.holes()) == set(range(min(ids), max(ids))) - ids


@given(st.sets(SMALL, min_size=1), st.data())
def test_a_moved_id_changes_its_side_alone(ids, data):
    ranges, moved = IdRangeSet(), data.draw(st.sampled_from(sorted(ids)))
    for one in ids:
        ranges.add(one, OURS)

    ranges.move(moved, AFTER)

    assert ids_of(ranges.of_side(AFTER)) == {moved}
    assert ids_of(ranges.of_side(OURS)) == ids - {moved}


@given(RANGES, RANGES)
def test_range_algebra_is_set_algebra(left, right):
    assert ids_of(without(left, right)) == ids_of(left) - ids_of(right)
    assert ids_of(within(left, 10, 20)) == ids_of(left) & set(range(10, 21))
    assert size(normalised(left)) == len(ids_of(left))


def test_ids_in_a_row_cost_one_range():
    ranges = IdRangeSet()

    for one in range(1_000):
        ranges.add(one, OURS)

    assert ranges.of_side(OURS) == [(0, 999)]


def test_the_longest_ranges_are_kept_in_their_order():
    assert longest([(1, 1), (5, 9), (20, 30)], 2) == [(5, 9), (20, 30)]
