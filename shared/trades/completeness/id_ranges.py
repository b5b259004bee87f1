"""Sets of trade ids as ranges of neighbours: small however many ids they hold."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

type IdRange = tuple[int, int]
"""The first and the last id of a row of neighbours, both included."""

BEFORE: Final = 0
OURS: Final = 1
AFTER: Final = 2


class IdRangeSet:
    """The ids met so far, each with the side of the slice on which its time lies; ids are ≥ 0.

    Adding the id after the newest one costs nothing that grows; any other costs a search among the ranges.
    """

    __slots__ = ("_firsts", "_lasts", "_sides", "top")

    def __init__(self) -> None:
        """Begin with no ids; `top` is the highest one, -2 where there is none."""
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._sides: list[int] = []
        self.top = -2

    def __bool__(self) -> bool:
        """Say whether any id was met."""
        return bool(self._firsts)

    def __contains__(self, trade_id: int) -> bool:
        """Say whether an id was met."""
        at = bisect_right(self._firsts, trade_id) - 1
        return at >= 0 and trade_id <= self._lasts[at]

    @property
    def low(self) -> int:
        """Give the lowest id; raises IndexError where there is none."""
        return self._firsts[0]

    def add(self, trade_id: int, side: int) -> bool:
        """Note an id; False where it was known."""
        if trade_id == self.top + 1 and self._sides[-1] == side:
            self.top = self._lasts[-1] = trade_id
            return True
        if trade_id in self:
            return False
        self._insert(bisect_right(self._firsts, trade_id), trade_id, side)
        return True

    def add_ranges(self, ranges: Iterable[IdRange], side: int) -> None:
        """Note whole ranges, of which no id was met."""
        for first, last in ranges:
            at = bisect_right(self._firsts, first)
            self._firsts.insert(at, first)
            self._lasts.insert(at, last)
            self._sides.insert(at, side)
        self.top = self._lasts[-1] if self._lasts else self.top

    def move(self, trade_id: int, side: int) -> None:
        """Put a known id on another side."""
        at = bisect_right(self._firsts, trade_id) - 1
        first, last, old = self._firsts[at], self._lasts[at], self._sides[at]
        parts = [(first, trade_id - 1, old), (trade_id, trade_id, side), (trade_id + 1, last, old)]
        kept = [part for part in parts if part[0] <= part[1]]
        self._firsts[at : at + 1] = [part[0] for part in kept]
        self._lasts[at : at + 1] = [part[1] for part in kept]
        self._sides[at : at + 1] = [part[2] for part in kept]

    def of_side(self, side: int) -> list[IdRange]:
        """Give the ranges of one side, lowest first."""
        sides = zip(self._firsts, self._lasts, self._sides, strict=True)
        return normalised((first, last) for first, last, own in sides if own == side)

    def all_sides(self) -> list[IdRange]:
        """Give the ranges of all sides together, lowest first."""
        return normalised(zip(self._firsts, self._lasts, strict=True))

    def holes(self) -> list[IdRange]:
        """Give the ids between the lowest and the highest that were not met."""
        pairs = zip(self._lasts[:-1], self._firsts[1:], strict=True)
        return [(last + 1, first - 1) for last, first in pairs if first > last + 1]

    def _insert(self, at: int, trade_id: int, side: int) -> None:
        joins_left = at > 0 and self._lasts[at - 1] == trade_id - 1 and self._sides[at - 1] == side
        joins_right = at < len(self._firsts) and self._firsts[at] == trade_id + 1 and self._sides[at] == side
        if joins_left:
            self._lasts[at - 1] = self._lasts[at] if joins_right else trade_id
        elif joins_right:
            self._firsts[at] = trade_id
        else:
            self._put(at, trade_id, side)
        if joins_left and joins_right:
            self._drop(at)
        self.top = self._lasts[-1]

    def _put(self, at: int, trade_id: int, side: int) -> None:
        self._firsts.insert(at, trade_id)
        self._lasts.insert(at, trade_id)
        self._sides.insert(at, side)

    def _drop(self, at: int) -> None:
        del self._firsts[at], self._lasts[at], self._sides[at]


def normalised(ranges: Iterable[IdRange]) -> list[IdRange]:
    """Sort ranges and join those that touch or overlap; empty ones (last < first) vanish."""
    joined: list[IdRange] = []
    for first, last in sorted(span for span in ranges if span[0] <= span[1]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def without(ranges: Iterable[IdRange], taken: Iterable[IdRange]) -> list[IdRange]:
    """Give the ids of `ranges` that are in none of `taken`."""
    left: list[IdRange] = []
    cuts = normalised(taken)
    for first, last in normalised(ranges):
        left += _cut(first, last, cuts)
    return left


def within(ranges: Iterable[IdRange], low: int, high: int) -> list[IdRange]:
    """Give the ids of `ranges` from `low` to `high`."""
    return normalised((max(first, low), min(last, high)) for first, last in ranges)


def size(ranges: Iterable[IdRange]) -> int:
    """Count the ids."""
    return sum(last - first + 1 for first, last in ranges)


def longest(ranges: Sequence[IdRange], count: int) -> list[IdRange]:
    """Keep the longest ranges, lowest first."""
    return sorted(sorted(ranges, key=lambda span: span[0] - span[1])[:count])


def _cut(first: int, last: int, cuts: Sequence[IdRange]) -> list[IdRange]:
    left: list[IdRange] = []
    at = max(bisect_right(cuts, first, key=lambda cut: cut[0]) - 1, 0)
    for low, high in cuts[at:]:
        if low > last:
            break
        if low > first:
            left.append((first, low - 1))
        first = max(first, high + 1)
    if first <= last:
        left.append((first, last))
    return left
