"""Cuts positions into blocks: a block is what is drawn from one seed, so that a record never depends on its batch."""

BLOCK = 4096

_MOST_AT_ONCE = 1 << 20  # an Arrow binary array ends at 2 GiB


def check_position(first: int, count: int, rate: float) -> None:
    """Raise ValueError for a negative position, over 1,048,576 records at once or a rate that is not positive."""
    if first < 0 or not 0 <= count <= _MOST_AT_ONCE:
        raise ValueError(
            f"can't draw {count} records from position {first}: from 0 on, at most {_MOST_AT_ONCE} at once"
        )
    if not rate > 0:
        raise ValueError(f"a rate is a positive number of records a second, not {rate}")


def pieces(first: int, count: int) -> list[tuple[int, int, int]]:
    """Give the parts of blocks that make up the records `[first, first + count)`: (block, its first record, its last).

    There is always one part, which is empty where no record is asked for.
    """
    last = first + count
    blocks = range(first // BLOCK, max(first, last - 1) // BLOCK + 1)
    return [(block, max(0, first - block * BLOCK), max(0, min(BLOCK, last - block * BLOCK))) for block in blocks]
