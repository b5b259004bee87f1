from hypothesis import given
from hypothesis import strategies as st

from shared.feeds.drawing.blocks import BLOCK, pieces


@given(first=st.integers(0, 5 * BLOCK), count=st.integers(0, 5 * BLOCK))
def test_the_pieces_are_the_records_that_were_asked_for(first, count):
    found = pieces(first, count)

    records = [number for block, start, stop in found for number in range(block * BLOCK + start, block * BLOCK + stop)]
    assert records == list(range(first, first + count))


@given(first=st.integers(0, 5 * BLOCK), count=st.integers(1, 5 * BLOCK))
def test_no_piece_is_empty_where_records_are_asked_for(first, count):
    assert all(0 <= start < stop <= BLOCK for _, start, stop in pieces(first, count))


def test_there_is_one_empty_piece_where_none_is_asked_for():
    assert pieces(BLOCK, 0) == [(1, 0, 0)]
