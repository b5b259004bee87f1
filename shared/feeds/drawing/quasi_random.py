"""Assigns values to numbered entities so evenly that their shares hold in every stretch of the numbers.

Where a few of the numbers make a good part of all records, values drawn at random would give those few whatever chance
gives, and that would be the share seen in the stream. Multiples of an irrational step, modulo one, cover the unit
interval evenly from the first number on (Weyl's theorem); different steps give independent columns.
"""

from collections.abc import Sequence

import numpy as np


def unit(size: int, step: float) -> np.ndarray:
    """Give float64[size] in [0, 1), even over every stretch; `step` is irrational."""
    return ((np.arange(size) + 0.5) * step) % 1.0


def below(limit: int | np.ndarray, size: int, step: float) -> np.ndarray:
    """Give int64[size], each below its `limit`."""
    return (unit(size, step) * limit).astype(np.int64)


def assign[T](values: Sequence[T], size: int, step: float) -> list[T]:
    """Give each number one of the values."""
    return [values[index] for index in below(len(values), size, step)]


def percent(share: int, size: int, step: float) -> list[bool]:
    """Say True for `share` percent of the numbers."""
    return [bool(flag) for flag in unit(size, step) < share / 100]
