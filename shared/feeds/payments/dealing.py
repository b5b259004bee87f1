"""Deals values out over numbered entities so evenly that their shares hold in every stretch of the numbers.

Accounts are numbered by activity, and the first few hundred make a good part of all payments. Values drawn at random
would give those few whatever chance gives, and that would be the share seen in the stream. Multiples of an irrational
step, modulo one, cover the unit interval evenly from the first number on (Weyl's theorem); different steps deal
independent columns.
"""

from collections.abc import Sequence
from enum import Enum
from math import sqrt

import numpy as np


class Step(Enum):
    """One irrational step for each dealt column."""

    COUNTRY = sqrt(2)
    HOME = sqrt(3)
    LANGUAGE = sqrt(5)
    WALLET = sqrt(7)
    TENURE = sqrt(11)
    AGE = sqrt(13)
    INSTRUMENT_AGE = sqrt(17)
    REJECTS = sqrt(23)
    BLANK_BILLING = sqrt(29)
    BLANK_STATE = sqrt(31)
    BLANK_POSTCODE = sqrt(37)
    UNPLACED = sqrt(41)


def deal_unit(size: int, step: Step) -> np.ndarray:
    """Give float64[size] in [0, 1), even over every stretch."""
    return ((np.arange(size) + 0.5) * step.value) % 1.0


def deal_below(limit: int | np.ndarray, size: int, step: Step) -> np.ndarray:
    """Give int64[size], each below its `limit`."""
    return (deal_unit(size, step) * limit).astype(np.int64)


def deal[T](slots: Sequence[T], size: int, step: Step) -> list[T]:
    """Give each number one of the slots."""
    return [slots[slot] for slot in deal_below(len(slots), size, step)]


def deal_percent(percent: int, size: int, step: Step) -> list[bool]:
    """Say True for `percent` of the numbers."""
    return [bool(flag) for flag in deal_unit(size, step) < percent / 100]
