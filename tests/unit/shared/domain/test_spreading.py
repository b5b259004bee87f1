from collections import Counter
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.spreading import BLOCK, Block, blocks, first_turn, turn_of

WINDOW = "payments-20261122T120000Z"

lots = st.lists(st.integers(0, 3 * BLOCK), max_size=8)


def numbers_of(sizes):
    """The block of each record of a slice that came in lots of these sizes."""
    found = []
    for before, size in zip(accumulate(sizes, initial=0), sizes, strict=False):
        for number, start, stop in blocks(before, size):
            found += [number] * (stop - start)
    return found


@given(sizes=lots)
def test_which_block_a_record_is_of_does_not_depend_on_the_lots_in_which_records_came(sizes):
    assert numbers_of(sizes) == [place // BLOCK for place in range(sum(sizes))]


def test_a_cut_says_which_records_at_hand_are_of_which_block():
    assert list(blocks(BLOCK - 1, BLOCK + 2)) == [
        Block(0, 0, 1),
        Block(1, 1, BLOCK + 1),
        Block(2, BLOCK + 1, BLOCK + 2),
    ]
    assert list(blocks(5, 0)) == []


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 400))
def test_each_hub_has_as_many_blocks_of_a_slice_as_any_other_or_one_less(count, hubs, number):
    first = first_turn(f"{WINDOW}/{number}.1")

    turns = Counter(turn_of(block, first, hubs) for block in range(count))

    assert len(turns) == min(count, hubs)
    assert max(turns.values()) - min(turns.values()) <= 1


def test_all_tries_at_a_slice_begin_with_one_hub_and_slices_of_one_block_take_turns():
    of_slices = [first_turn(f"{WINDOW}/{number}.1") for number in range(3)]

    assert [first_turn(f"{WINDOW}/{number}.7") for number in range(3)] == of_slices
    assert {turn_of(0, first, 3) for first in of_slices} == {0, 1, 2}


def test_windows_of_one_slice_and_one_block_do_not_all_go_to_one_hub():
    windows = [f"calls-20261122T{hour:02}0000Z/{part}.1" for hour in range(24) for part in ("0", "close")]

    assert {turn_of(0, first_turn(window), 3) for window in windows} == {0, 1, 2}
