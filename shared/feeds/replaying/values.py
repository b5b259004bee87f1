"""Checks the fields of one column, all at once, where they are short and as they mostly are.

A field is looked at as 64-bit words of its bytes, the first byte lowest, with zeros behind its end.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from shared.feeds.replaying.fields import Bools, Ints
from shared.feeds.replaying.rules import BadField

type Eights = npt.NDArray[np.uint64]

WIDE = 8
INLINE = 12
"""Bytes of text that Arrow's view of it holds itself; of a longer one it holds the first four, and where it lies."""
_SPREAD = np.uint64(0xC2B2AE3D27D4EB4F)
_TRIES = 8  # slots that a value may lie in
_FREE = 0xFFFFFFFFFFFFFFFF  # no view begins so: it would be of 4 GiB
_MOST_NEW = 1024  # different values of one block that are looked up one by one


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
    """What is written for values that mostly are the same few ones, each of at most 12 bytes: looked up by their views.

    Made for one reader; not for several threads at once.
    """

    def __init__(self, read: Callable[[str], bytes], bits: int, buffer: int = 0, longest: int = 0) -> None:
        """Know nothing yet. read: gives what is written for a value, or raises BadField. bits: of a slot's number.

        buffer: the number of `texts` among the buffers of views, where what is written may be as long as `longest`.
        """
        self.size = 1 << bits
        self._shift = np.uint64(64 - bits)
        self._read, self._buffer, self._longest = read, buffer, longest
        self._low = np.full(self.size, _FREE, np.uint64)
        self._high = np.empty(self.size, np.uint64)
        self._literals = np.zeros(self.size, "V16")
        self._values: dict[int, str] = {}
        self.texts = np.empty(self.size * longest, np.uint8)

    def find(self, views: np.ndarray) -> tuple[Ints, Bools]:
        """Find values, V16[n]: the slot of each, and which of them are known and good."""
        views = np.ascontiguousarray(views)
        low, high = views.view("<u8").reshape(-1, 2).T
        slots, found = self._look(low, high)
        if not found.all():
            rest = np.flatnonzero(~found)
            self._learn(views[rest].tolist())
            slots[rest], found[rest] = self._look(low[rest], high[rest])
        return slots, found

    def literals(self, slots: Ints) -> np.ndarray:
        """Give V16[n]: the views of what is written for values."""
        return self._literals[slots]

    def value(self, slot: int) -> str:
        """Give the value that lies in a slot."""
        return self._values[slot]

    def _look(self, low: Eights, high: Eights) -> tuple[Ints, Bools]:
        slots = (((low * _SPREAD + high) * _SPREAD) >> self._shift).view(np.int64)
        found = (self._low[slots] == low) & (self._high[slots] == high)
        for _ in range(_TRIES - 1):
            if found.all():
                break
            rest = np.flatnonzero(~found)
            slots[rest] = (slots[rest] + 1) % self.size
            found[rest] = (self._low[slots[rest]] == low[rest]) & (self._high[slots[rest]] == high[rest])
        return slots, found

    def _learn(self, views: Sequence[bytes]) -> None:
        for view in list(dict.fromkeys(views))[:_MOST_NEW]:
            size = int.from_bytes(view[:4], "little")
            if size > INLINE:
                continue
            try:
                value = view[4 : 4 + size].decode()
                literal = self._read(value)
            except (BadField, UnicodeDecodeError):
                continue
            if len(literal) <= max(INLINE, self._longest):
                self._keep(view, value, literal)

    def _keep(self, view: bytes, value: str, literal: bytes) -> None:
        """Keep a value in the first free one of its slots for good; where there is none, it stays unknown."""
        low, high = int.from_bytes(view[:8], "little"), int.from_bytes(view[8:], "little")
        spread = int(_SPREAD)
        begin = (((low * spread + high) * spread) % (1 << 64)) >> int(self._shift)
        tried = [(begin + step) % self.size for step in range(_TRIES)]
        slot = next((one for one in tried if one not in self._values), None)
        if slot is None:
            return
        at = slot * self._longest
        held = literal.ljust(INLINE, b"\0")
        if len(literal) > INLINE:
            self.texts[at : at + len(literal)] = np.frombuffer(literal, np.uint8)
            held = literal[:4] + self._buffer.to_bytes(4, "little") + at.to_bytes(4, "little")
        self._literals[slot] = np.void(len(literal).to_bytes(4, "little") + held)
        self._low[slot], self._high[slot], self._values[slot] = low, high, value
