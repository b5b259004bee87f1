"""A clock that only sleeping moves, and a drawn feed of numbers, for tests of slices."""

from datetime import timedelta

import numpy as np
import pyarrow as pa

from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Drawing
from shared.feeds.records import Records
from shared.feeds.slicing import SliceClock


def numbers(positions):
    """Give the record `p` for each position p."""
    lines = pa.array([b"%d\n" % position for position in positions], pa.binary())
    keys = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(lines), np.int32)), pa.array(["key"]))
    return Records(lines, keys)


def draw_transactions(at):
    """Draw a feed whose record at position p is the line `p`."""
    return {"transactions": numbers(range(at.first, at.first + at.count))}


NUMBERS = Drawing(Pool(1, {}), draw_transactions)


class Time:
    """A clock that only sleeping moves; `hiccups` are added to the first sleeps."""

    def __init__(self, now, hiccups=(), stop_at=None):
        self.now, self.hiccups, self.stop_at = now, list(hiccups), stop_at
        self.slept = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds + (self.hiccups.pop(0) if self.hiccups else 0))

    @property
    def clock(self):
        return SliceClock(self, self.sleep, lambda: self.stop_at)
