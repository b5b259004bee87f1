"""Runs of ids behave as the sets that they stand for."""

from hypothesis import given
from hypothesis import strategies as st

from shared.trades.completeness.id_ranges import AFTER, BEFORE, OURS, IdRuns, longest, normalised, size, within, without

SMALL = st.integers(0, 40)
RUNS = st.lists(st.tuples(SMALL, SMALL).map(lambda pair: (min(pair), max(pair))), max_size=8)


def ids_of(runs):
    return {one for first, last in runs for one in range(first, last + 1)}


@given(st.lists(st.tuples(SMALL, st.sampled_from([BEFORE, OURS, AFTER]))))
def test_ids_are_kept_once_with_the_side_first_given(added):
    runs, truth = IdRuns(), {}
    for trade_id, side in added:
        assert runs.add(trade_id, side) == (trade_id not in truth)
        truth.setdefault(trade_id, side)

    for side in (BEFORE, OURS, AFTER):
        assert ids_of(runs.runs(side)) == {one for one, its in truth.items() if its == side}
    assert ids_of(runs.every()) == set(truth)
    assert runs.top == max(truth, default=-2)


@given(st.sets(SMALL, min_size=1))
def test_holes_are_what_lies_between_the_lowest_and_the_highest(ids):
    runs = IdRuns()
    for one in ids:
        runs.add(one, OURS)

    assert ids_of(runs.holes()) == set(range(min(ids), max(ids))) - ids


@given(st.sets(SMALL, min_size=1), st.data())
def test_a_moved_id_changes_its_side_alone(ids, data):
    runs, moved = IdRuns(), data.draw(st.sampled_from(sorted(ids)))
    for one in ids:
        runs.add(one, OURS)

    runs.move(moved, AFTER)

    assert ids_of(runs.runs(AFTER)) == {moved}
    assert ids_of(runs.runs(OURS)) == ids - {moved}


@given(RUNS, RUNS)
def test_run_algebra_is_set_algebra(left, right):
    assert ids_of(without(left, right)) == ids_of(left) - ids_of(right)
    assert ids_of(within(left, 10, 20)) == ids_of(left) & set(range(10, 21))
    assert size(normalised(left)) == len(ids_of(left))


def test_ids_in_a_row_cost_one_run():
    runs = IdRuns()

    for one in range(1_000):
        runs.add(one, OURS)

    assert runs.runs(OURS) == [(0, 999)]


def test_the_longest_runs_are_kept_in_their_order():
    assert longest([(1, 1), (5, 9), (20, 30)], 2) == [(5, 9), (20, 30)]
