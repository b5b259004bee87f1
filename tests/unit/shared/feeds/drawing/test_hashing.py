import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.feeds.drawing.hashing import below, hashed_rows

LAYOUT = np.dtype([("wide", "<u4"), ("first", "<u2"), ("second", "<u2"), ("rest", "<u8")])
SEED = bytes(range(16))


def test_the_bits_of_a_number_are_those_of_splitmix64():
    """The first outputs of its reference code for the seed 1234567."""
    found = hashed_rows((1234567).to_bytes(8, "little"), np.dtype("<u8"), np.arange(1, 4))

    assert found.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(st.lists(st.integers(0, 2**40), min_size=1))
def test_a_number_has_the_same_bits_whatever_is_drawn_beside_it(numbers):
    rows = hashed_rows(SEED, LAYOUT, np.array(numbers))

    assert all(hashed_rows(SEED, LAYOUT, np.array([one]))[0] == row for one, row in zip(numbers, rows, strict=True))


def test_other_seeds_and_numbers_have_other_bits():
    rows = [hashed_rows(seed, LAYOUT, np.arange(1000)) for seed in (SEED, SEED[::-1])]

    assert len({row.tobytes() for seeded in rows for row in seeded}) == 2000


def test_numbers_below_a_limit_are_drawn_evenly():
    rows = hashed_rows(SEED, LAYOUT, np.arange(70_000))

    for bits in (rows["wide"], rows["first"]):
        counts = np.bincount(below(7, bits), minlength=7)
        assert len(counts) == 7
        assert abs(counts - 10_000).max() < 400


def test_a_limit_of_millions_is_drawn_up_to_its_end():
    found = below(5_000_000, np.array([0, 2**31, 2**32 - 1], np.uint32))

    assert found.tolist() == [0, 2_500_000, 4_999_999]
