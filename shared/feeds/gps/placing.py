"""Places as whole numbers: how degrees become them, and how places are scattered around others."""

from collections.abc import Sequence

import numpy as np

from shared.feeds.drawing.sampling import random_rows
from shared.feeds.gps.tables import EAST_SHARE, METRES_OF_DEGREE, UNITS

UNITS_OF_METRE = UNITS / METRES_OF_DEGREE
"""Of latitude."""

_AROUND = np.dtype([("north", "<u2"), ("north_too", "<u2"), ("east", "<u2"), ("east_too", "<u2")])


def in_units(degrees: Sequence[Sequence[float]]) -> np.ndarray:
    """Give pairs of latitude and longitude as int64[n, 2] of units."""
    return np.rint(np.array(degrees) * UNITS).astype(np.int64)


def scattered(seed: bytes, size: int, metres: int) -> np.ndarray:
    """Give int64[size, 2]: units north and east of a place, more often near it, never more than `metres` either way."""
    drawn = random_rows(seed, _AROUND, size)
    north = drawn["north"].astype(np.int64) - drawn["north_too"]
    east = drawn["east"].astype(np.int64) - drawn["east_too"]
    away = np.stack([north, east / EAST_SHARE], axis=1) / (1 << 16)
    return np.rint(away * metres * UNITS_OF_METRE).astype(np.int64)


def below(limit: int, bits: np.ndarray) -> np.ndarray:
    """Turn even 16-bit numbers into even int64 numbers below the limit."""
    return bits.astype(np.int64) * limit >> 16
