"""What a venue remembers of one symbol: the pages that its REST interface cuts, under the venue's own clock."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emulators.exchange.market import Trade


class Tape(Protocol):
    """The trades of one symbol in the order they happened; the oldest `first` of them are forgotten."""

    @property
    def first(self) -> int: ...
    @property
    def anchor(self) -> Trade | None: ...
    @property
    def ids(self) -> NDArray[np.int64]: ...
    @property
    def times(self) -> NDArray[np.int64]: ...
    def settle(self, now: int) -> None: ...
    def row(self, index: int) -> Trade: ...


class History:
    """A tape as the venue shows it: with the venue's clock, and without the trades that were lost."""

    def __init__(self, tape: Tape) -> None:
        """Show `tape` by a right clock and whole."""
        self._tape = tape
        self._lost: set[int] = set()
        self._empty: set[int] = set()
        self._shifts = [(0, 0)]

    @property
    def anchor(self) -> Trade | None:
        """Give the trade that was the last before the tape begins, where that is known."""
        return self._tape.anchor

    @property
    def tape(self) -> Tape:
        """Give the tape beneath, by the true clock."""
        return self._tape

    def settle(self, now: int) -> None:
        """Let the tape run until `now`."""
        self._tape.settle(now)

    def lose(self, trade_id: int) -> None:
        """Take a trade out of the pages for good."""
        self._lost.add(trade_id)

    def empty(self, trade_id: int) -> None:
        """Let a trade have a quantity of zero from now on."""
        self._empty.add(trade_id)

    def displayed(self, trade: Trade) -> Trade:
        """Give a trade with the quantity that the venue shows, zero with its digits where it is an empty one."""
        if trade.trade_id not in self._empty:
            return trade
        digits = len(trade.size.partition(".")[2])
        return replace(trade, size=f"{0:.{digits}f}")

    def is_lost(self, trade_id: int) -> bool:
        """Say whether the pages leave this trade out."""
        return trade_id in self._lost

    def shift_clock(self, at: int, shift: int) -> None:
        """Let the venue's clock be off by `shift` microseconds for trades from the true moment `at` on."""
        self._shifts.append((at, shift))

    def shift_at(self, moment: int) -> int:
        """Tell how far off the venue's clock is at a true moment."""
        if len(self._shifts) == 1:
            return 0
        return self._shifts[bisect_right(self._shifts, moment, key=lambda entry: entry[0]) - 1][1]

    def position(self, moment: int) -> int:
        """Count the trades that happened until `moment`, the forgotten ones too."""
        return self._tape.first + int(np.searchsorted(self._tape.times, moment, side="right"))

    def between_positions(self, start: int, stop: int) -> list[Trade]:
        """Give the trades of the positions `[start, stop)` that are still kept, lost ones too."""
        first = self._tape.first
        return [self._stamped(index) for index in range(max(0, start - first), max(0, stop - first))]

    def newest_first(self, *, below: int | None = None, above: int | None = None) -> Iterator[Trade]:
        """Walk back in ids, from the newest or the newest below `below`, to the oldest or the oldest above `above`."""
        ids = self._tape.ids
        stop = len(ids) if below is None else int(np.searchsorted(ids, below))
        start = 0 if above is None else int(np.searchsorted(ids, above, side="right"))
        return self._known(range(stop - 1, start - 1, -1))

    def oldest_first(self, *, from_id: int) -> Iterator[Trade]:
        """Walk forward in ids from `from_id`, which is included."""
        return self._known(range(int(np.searchsorted(self._tape.ids, from_id)), len(self._tape.ids)))

    def later_than(self, moment: int) -> Iterator[Trade]:
        """Walk forward from the first trade stamped after `moment` by the venue's clock."""
        known = self._known(range(self._index_before(moment), len(self._tape.ids)))
        return (trade for trade in known if trade.time > moment)

    def happened(self, start: int, end: int) -> list[Trade]:
        """Give everything stamped in `[start, end)` by the venue's clock, lost trades too."""
        stop = int(np.searchsorted(self._tape.times, end + self._widest()))
        stamped = (self._stamped(index) for index in range(self._index_before(start), stop))
        return [trade for trade in stamped if start <= trade.time < end]

    def _index_before(self, moment: int) -> int:
        return int(np.searchsorted(self._tape.times, moment - self._widest()))

    def _widest(self) -> int:
        return max(abs(shift) for _, shift in self._shifts)

    def _known(self, indexes: Iterable[int]) -> Iterator[Trade]:
        stamped = (self._stamped(index) for index in indexes)
        return (trade for trade in stamped if trade.trade_id not in self._lost)

    def _stamped(self, index: int) -> Trade:
        trade = self.displayed(self._tape.row(index))
        shift = self.shift_at(trade.time)
        return replace(trade, time=trade.time + shift) if shift else trade
