"""Random numbers of a place: the same seed gives the same ones on every machine and in every release of numpy."""

from collections.abc import Callable, Iterable

import numpy as np


def random_rows(seed: bytes, layout: np.dtype, size: int) -> np.ndarray:
    """Give `size` rows of random bits, structured as `layout`, whose size is a multiple of 8 bytes.

    PCG64's raw output is what numpy guarantees to keep (NEP 19); its distributions may change between releases.
    """
    bits = np.random.PCG64(np.random.SeedSequence(int.from_bytes(seed, "little")))
    words = bits.random_raw(size * layout.itemsize // 8)
    return words.astype("<u8", copy=False).view(layout)


def below(limit: int, bits: np.ndarray) -> np.ndarray:
    """Turn even 16-bit numbers into even int32 numbers below the limit."""
    return bits.astype(np.int32) * np.int32(limit) >> np.int32(16)


def repeated[T](shares: Iterable[tuple[T, int]]) -> tuple[T, ...]:
    """Repeat each value by its share, so that an even draw from the answer has those shares."""
    return tuple(value for value, share in shares for _ in range(share))


def different[T](size: int, make: Callable[[], T]) -> list[T]:
    """Make values until there are `size` different ones, in the order in which they came first."""
    found: dict[T, None] = {}
    while len(found) < size:
        found[make()] = None
    return list(found)
