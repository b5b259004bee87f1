"""Which session each view belongs to, and when it happened.

Views are numbered in the order in which they are sent. They are dealt to as many lanes as views are sent in ten
seconds; a lane is what one user after another does, in turns of 31 views: a first session of 1 to 30 views, all equally
often, and one of the rest, so that both are equally often of each length. A view's session follows from its number
alone; nothing before it has to be drawn.
"""

from dataclasses import dataclass
from functools import cache
from math import ceil
from statistics import NormalDist
from typing import Self

import numpy as np

from shared.feeds.drawing.hashing import below, hashed_rows
from shared.feeds.drawing.identifiers import seed_of
from shared.feeds.drawing.sampling import random_rows
from shared.feeds.shop import tables

_SPACING = 10.1  # seconds between two views of a lane, as they are sent: the mean of the gaps
_TURN = tables.MOST_VIEWS + 1
_PATTERNS = 1024
_QUANTILES = 4096
_RANDOM_TURN = np.dtype([("length", "<u2"), ("unused", "<u2", (3,))])
_RANDOM_SESSION = np.dtype(
    [
        ("user", "<u4"),
        ("address", "<u2"),
        ("agent", "<u2"),
        ("pattern", "<u2"),
        ("starred", "<u2"),
        ("starred_after", "<u2"),
        ("stars", "<u2"),
    ]
)


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of some views, a row for each view.

    chosen: the session's row of random bits: who the user is, from which address and with which agent, and whether they
    give stars. places: int64, where the view stands in its session, from 0. lengths: int64, of the session. times:
    int64 milliseconds since the epoch, when the view happened: from 0 to some ten seconds before it is sent.
    """

    chosen: np.ndarray
    places: np.ndarray
    lengths: np.ndarray
    times: np.ndarray

    @classmethod
    def of(cls, slice_seed: bytes, numbers: np.ndarray, start: int, rate: float) -> Self:
        """Give the sessions of the views with these int64 numbers in a slice that starts at `start` microseconds."""
        lanes = ceil(rate * _SPACING)
        steps = numbers // lanes
        turns = steps // _TURN
        within = steps - turns * _TURN
        turns = turns * lanes + (numbers - steps * lanes)
        first_length = 1 + below(tables.MOST_VIEWS, hashed_rows(slice_seed, _RANDOM_TURN, turns)["length"])
        second = within >= first_length
        places = within - first_length * second
        chosen = hashed_rows(seed_of("shop", "session", slice_seed.hex()), _RANDOM_SESSION, turns * 2 + second)
        lengths = np.where(second, _TURN - first_length, first_length)
        began = start // 1000 + np.floor((numbers - places * lanes) * (1000 / rate)).astype(np.int64)
        return cls(chosen, places, lengths, began + _since_began(chosen["pattern"], places, lengths))

    def part(self, rows: slice) -> Self:
        """Give the sessions of some of the views, without copying them."""
        return type(self)(self.chosen[rows], self.places[rows], self.lengths[rows], self.times[rows])

    def with_stars(self, per_thousand: int) -> np.ndarray:
        """Give the places, among these views, of those after which stars are given: one each in so many sessions."""
        few = np.flatnonzero(self.chosen["starred"] < (1 << 16) * per_thousand // 1000)
        after = self.chosen["starred_after"][few].astype(np.int64) * self.lengths[few] >> 16
        starred: np.ndarray = few[after == self.places[few]]
        return starred


def sizes_of_normal(mean: float, deviation: float) -> np.ndarray:
    """Give 4,096 sizes of normal numbers, all equally likely, as float64."""
    normal = NormalDist(mean, deviation)
    return np.array([abs(normal.inv_cdf((number + 0.5) / _QUANTILES)) for number in range(_QUANTILES)])


def _since_began(pattern: np.ndarray, places: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Give the milliseconds from when a session's first view is sent to when each view happens; none is ever ahead."""
    courses, leads = _courses()
    number = (pattern >> np.uint16(6)).astype(np.int64) * tables.MOST_VIEWS
    since: np.ndarray = courses.take(number + places) - leads.take(number + lengths - 1)
    return since


@cache
def _courses() -> tuple[np.ndarray, np.ndarray]:
    """Give 1,024 courses of a session of 30 views, each as int64[30] in a row.

    The milliseconds from the first view to each one, and by how much the session of each length must happen before it
    is sent for none of its views to happen after.
    """
    gaps = np.rint(sizes_of_normal(*tables.GAP) * 1000).astype(np.int64)
    drawn = random_rows(seed_of("shop", "courses"), np.dtype("<u8"), _PATTERNS * tables.MOST_VIEWS // 4)
    numbers = drawn.view("<u2").reshape(_PATTERNS, tables.MOST_VIEWS) >> np.uint16(4)
    course = np.cumsum(gaps.take(numbers), axis=1)
    course -= course[:, :1]
    ahead = course - np.arange(tables.MOST_VIEWS) * int(_SPACING * 1000)
    return course.reshape(-1), np.maximum.accumulate(ahead, axis=1).reshape(-1)
