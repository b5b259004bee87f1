"""Checks the fields of one column, all at once, where they are short and as they mostly are.

A field is looked at as 64-bit words of its bytes, the first byte lowest, with zeros behind its end.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.feeds.replaying.fields import Bools, Ints
from shared.feeds.replaying.rules import BadField, ColumnRule

type Eights = npt.NDArray[np.uint64]

WIDE = 8
_SLOTS = 1 << 14
_SHIFT = np.uint64(64 - 14)
_SPREAD = np.uint64(0xC2B2AE3D27D4EB4F)  # no two codes of countries, nor of common currencies, share a slot
_MOST_NEW = 256  # different values of one block that are looked up one by one
_LONGEST_LITERAL = 12


def _each(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101010101010101)


KEPT: Eights = np.array([(1 << 8 * length) - 1 for length in range(WIDE + 1)], np.uint64)
_HIGH = _each(0x80)
_WITHIN: Eights = KEPT & _HIGH
_LAST: Eights = np.array([0, *(0x80 << 8 * (length - 1) for length in range(1, WIDE + 1))], np.uint64)


def not_digits(words: Eights) -> Eights:
    """Set the high bit of each byte that is no digit."""
    moved = words ^ _each(0x30)
    found: Eights = ((moved + _each(0x76)) | moved) & _HIGH
    return found


def _not_points(words: Eights) -> Eights:
    moved = words ^ _each(0x2E)
    found: Eights = ((moved + _each(0x7F)) | moved) & _HIGH
    return found


def are_whole(words: Eights, lengths: Ints) -> Bools:
    """Say which fields of at most 8 bytes are whole numbers as JSON writes them, without a sign."""
    strange = not_digits(words) & _WITHIN[lengths]
    leading = ((words & np.uint64(0xFF)) == np.uint64(0x30)) & (lengths > 1)
    found: Bools = (strange == 0) & (lengths > 0) & ~leading
    return found


def are_numbers(words: Eights, lengths: Ints) -> Bools:
    """Say which fields of at most 8 bytes are numbers as JSON writes them, without sign and exponent."""
    strange = not_digits(words) & _WITHIN[lengths]
    one_point = ((strange & (strange - np.uint64(1))) == 0) & ((strange & _not_points(words)) == 0)
    at_edge = strange & (np.uint64(0x80) | _LAST[lengths])
    leading = ((words & np.uint64(0xFF)) == np.uint64(0x30)) & (lengths > 1) & ((strange & np.uint64(0x8000)) == 0)
    found: Bools = one_point & (at_edge == 0) & (lengths > 0) & ~leading
    return found


def are_long_numbers(first: Eights, second: Eights, lengths: Ints) -> Bools:
    """Say the same of fields of 9 to 16 bytes, of which `second` are those from the ninth on."""
    head, tail = not_digits(first), not_digits(second) & _WITHIN[lengths - WIDE]
    points = ((head & _not_points(first)) == 0) & ((tail & _not_points(second)) == 0)
    single = ((head & (head - np.uint64(1))) == 0) & ((tail & (tail - np.uint64(1))) == 0) & ((head == 0) | (tail == 0))
    at_edge = (head & np.uint64(0x80)) | (tail & _LAST[lengths - WIDE])
    leading = ((first & np.uint64(0xFF)) == np.uint64(0x30)) & ((head & np.uint64(0x8000)) == 0)
    found: Bools = points & single & (at_edge == 0) & ~leading
    return found


class SeenValues:
    """The JSON of the values of columns that have few different ones, each of at most 8 bytes, by its word.

    Made for one reader; not for several threads at once.
    """

    def __init__(self, rules: Sequence[ColumnRule]) -> None:
        """Know nothing yet."""
        self._rules = rules
        self._words = np.full(_SLOTS * len(rules), 0xFFFFFFFFFFFFFFFF, np.uint64)
        self._literals = np.zeros(_SLOTS * len(rules), "V16")
        self._begins = np.arange(len(rules), dtype=np.int64) * _SLOTS

    def slots(self, words: Eights, known: Bools) -> tuple[Ints, Bools]:
        """Find values, uint64[lines, columns]: the slot of each, and which are good and known.

        known: the values that are looked at, for a longer one has no word.
        """
        slots = ((words * _SPREAD) >> _SHIFT).view(np.int64) + self._begins
        found = (self._words[slots] == words) & known
        if not found.all():
            for column in np.flatnonzero((known & ~found).any(0)).tolist():
                self._learn(column, words[known[:, column] & ~found[:, column], column])
            found = (self._words[slots] == words) & known
        return slots, found

    def literals(self, slots: Ints) -> np.ndarray:
        """Give the JSON of values, without quotes around it, as Arrow's views."""
        return self._literals[slots]

    def _learn(self, column: int, words: Eights) -> None:
        for word in np.unique(words)[:_MOST_NEW].tolist():
            try:
                text = word.to_bytes(WIDE, "little").rstrip(b"\0").decode()
                literal = self._rules[column].read(text).strip('"').encode()
            except (BadField, UnicodeDecodeError):
                continue
            if len(literal) <= _LONGEST_LITERAL:
                slot = column * _SLOTS + ((word * int(_SPREAD)) % (1 << 64) >> int(_SHIFT))
                self._words[slot] = word
                self._literals[slot] = np.void(len(literal).to_bytes(4, "little") + literal.ljust(12, b"\0"))
