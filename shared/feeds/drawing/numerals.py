"""Writes whole numbers and amounts of money as columns of characters, all of one width, for `fixed_lines`."""

import numpy as np

_PLAIN = np.frombuffer("".join(f"{number:4d}" for number in range(10_000)).encode(), "<u4")
_FILLED = np.frombuffer("".join(f"{number:04d}" for number in range(10_000)).encode(), "<u4")
_BLANK = np.frombuffer(b"    ", "<u4")[0]
_CENTS = np.frombuffer("".join(f".{number:02d}" for number in range(100)).encode(), "V3")
_MONEY = np.dtype([("whole", "V8"), ("cents", "V3")])

MOST = 10**8 - 1
"""The greatest number that is written."""


def numerals(numbers: np.ndarray) -> np.ndarray:
    """Write int64 numbers from 0 to MOST as V8[n], with spaces before them."""
    high = numbers // 10_000
    text = np.empty((len(numbers), 2), "<u4")
    low = numbers - high * 10_000
    text[:, 0] = np.where(high > 0, _PLAIN.take(high), _BLANK)
    text[:, 1] = np.where(high > 0, _FILLED.take(low), _PLAIN.take(low))
    return text.view("V8").reshape(-1)


def money(hundredths: np.ndarray) -> np.ndarray:
    """Write amounts, given as int64 hundredths below 10**10, as V11[n] with two digits behind the point."""
    whole = hundredths // 100
    text = np.empty(len(hundredths), _MONEY)
    text["whole"] = numerals(whole)
    text["cents"] = _CENTS.take(hundredths - whole * 100)
    return text.view("V11")
