"""What is drawn for each view of a batch, for the stars that are given after some, and for the orders after others.

All times are int64 milliseconds since the epoch, all values int64 hundredths of a crown.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Self

import numpy as np

from shared.feeds.drawing.hashing import below, hashed_rows
from shared.feeds.drawing.identifiers import seed_of
from shared.feeds.shop import tables
from shared.feeds.shop.sessions import Sessions, sizes_of_normal

_RANDOM_VIEW = np.dtype(
    [
        ("latency", "<u2"),
        ("slow", "<u2"),
        ("how_slow", "<u2"),
        ("blank", "<u2"),
        ("page", "<u2"),
        ("method", "<u2"),
        ("ordered", "<u2"),
        ("after", "<u2"),
    ]
)
_RANDOM_ORDER = np.dtype([("items", "<u2"), ("unused", "<u2", (3,))])
_RANDOM_ITEM = np.dtype([("product", "<u4"), ("value", "<u4")])
_VALUES = 1 << 16
_NUMBERS_OF_AN_ORDER = 16  # for its items: there are at most ten


@dataclass(frozen=True, slots=True)
class Views:
    """Some views: their int64 numbers in the slice, their sessions, and a row of random bits for each."""

    numbers: np.ndarray
    sessions: Sessions
    chosen: np.ndarray

    @classmethod
    def of(cls, slice_seed: bytes, numbers: np.ndarray, start: int, rate: float) -> Self:
        """Draw the views with these numbers in a slice that starts at `start` microseconds since the epoch."""
        sessions = Sessions.of(slice_seed, numbers, start, rate)
        return cls(numbers, sessions, hashed_rows(seed_of("shop", "view", slice_seed.hex()), _RANDOM_VIEW, numbers))

    def part(self, rows: slice) -> Self:
        """Give some of the views, without copying them."""
        return replace(self, numbers=self.numbers[rows], sessions=self.sessions.part(rows), chosen=self.chosen[rows])

    def latencies(self) -> np.ndarray:
        """Give the milliseconds that each took, as int64."""
        latencies = _latencies().take(self.chosen["latency"] >> np.uint16(4))
        slow = np.flatnonzero(self.chosen["slow"] < _VALUES * tables.SLOW_PERCENT // 100)
        first, last = tables.SLOW
        latencies[slow] = first + below(last - first + 1, self.chosen["how_slow"][slow])
        return latencies

    def users(self, size: int) -> np.ndarray:
        """Give the user of each, 1 to `size`."""
        return 1 + below(size, self.sessions.chosen["user"])

    def addresses(self) -> np.ndarray:
        """Give the number of each view's address; of a blank one that after the last."""
        known = self.sessions.chosen["address"].astype(np.int64) * tables.ADDRESSES >> 16
        blank = self.chosen["blank"] < _VALUES * tables.BLANK_PERCENT // 100
        return np.where(blank, tables.ADDRESSES, known)

    def later(self, which: np.ndarray, millis: tuple[int, int]) -> np.ndarray:
        """Give a time after each of some views, from the first to the second number of milliseconds later."""
        first, last = millis
        times: np.ndarray = self.sessions.times[which] + first + below(last - first + 1, self.chosen["after"][which])
        return times

    def with_order(self, per_thousand: int) -> np.ndarray:
        """Give the places, among these views, of those after which something is ordered."""
        return np.flatnonzero(self.chosen["ordered"] < _VALUES * per_thousand // 1000)


@dataclass(frozen=True, slots=True)
class Orders:
    """What was ordered after some views.

    values: of each order. of_order: int64[items], the place of each item's order; rows: int64[items], from 1 on in each
    order. products: int64[items], from 1 on. item_values.
    """

    values: np.ndarray
    of_order: np.ndarray
    rows: np.ndarray
    products: np.ndarray
    item_values: np.ndarray

    @classmethod
    def of(cls, slice_seed: bytes, numbers: np.ndarray, products: int) -> Self:
        """Draw the orders after the views with these numbers, one at least, and their items out of so many products."""
        drawn = hashed_rows(seed_of("shop", "order", slice_seed.hex()), _RANDOM_ORDER, numbers)
        counts = 1 + below(tables.MOST_ITEMS, drawn["items"])
        ends = np.cumsum(counts)
        of_order = np.repeat(np.arange(len(numbers)), counts)
        rows = 1 + np.arange(len(of_order)) - (ends - counts).take(of_order)
        of_item = numbers.take(of_order) * _NUMBERS_OF_AN_ORDER + rows
        items = hashed_rows(seed_of("shop", "item", slice_seed.hex()), _RANDOM_ITEM, of_item)
        least, most = tables.ITEM_VALUE
        item_values = least + below(most - least + 1, items["value"])
        values = np.diff(np.cumsum(item_values)[ends - 1], prepend=0)
        return cls(values, of_order, rows, 1 + below(products, items["product"]), item_values)


@cache
def _latencies() -> np.ndarray:
    return np.rint(sizes_of_normal(*tables.LATENCY)).astype(np.int64)
