"""A clock that only sleeping moves, and a feed of numbers, for tests of synthetic slices."""

from datetime import timedelta

import numpy as np
import pyarrow as pa

from shared.feeds.records import Records
from shared.feeds.slicing import SliceClock


class Numbers:
    """A feed whose record at position p is the line `p`."""

    fingerprint = "numbers"

    def draw(self, window_id, slice_number, first, count, start, rate):
        lines = pa.array([b"%d\n" % position for position in range(first, first + count)], pa.binary())
        keys = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["key"]))
        return Records(lines, keys)


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
    def pace(self):
        return SliceClock(self, self.sleep, lambda: self.stop_at)
