"""The feed of payments, drawn here: the same window, slice and position always give the same record."""

from datetime import timedelta
from functools import lru_cache

import numpy as np
import pyarrow as pa

from shared.feeds.drawing import timestamps
from shared.feeds.drawing.blocks import check_position, pieces
from shared.feeds.drawing.identifiers import identifiers, seed_of
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Drawn, EventHub, Feed, Position, Replayed, Stream
from shared.feeds.payments.building import build
from shared.feeds.payments.choices import Choices, choose
from shared.feeds.payments.fragments import ID_AT, TIME_BEFORE_END, Kind
from shared.feeds.payments.pool import VERSION, PaymentColumns
from shared.feeds.records import Records
from shared.feeds.slicing import StreamRecords

__all__ = ["FEED", "STREAM", "Payments"]

STREAM = Stream("transactions/1", EventHub(beside_cosmos="Transaction"))

_NAME = "payments"
_KEPT_BLOCKS = 16  # of 180 KB each: enough for the slices that overlap, drawn from in small steps
_MIDNIGHT = 1  # fragments after that of the unknown hour


class Payments:
    """Draws payments from a pool. Immutable; may be used by any number of threads."""

    def __init__(self, pool: Pool) -> None:
        """Draw from this pool, whose fingerprint belongs to the plan of every window drawn from it."""
        self._columns = PaymentColumns.of(pool)
        self._views, self._text = _viewed(self._columns.fragments)
        self._zones = self._columns.zones.to_pylist()
        self._block = lru_cache(_KEPT_BLOCKS)(self._choose_block)
        self._offsets = lru_cache(_KEPT_BLOCKS)(self._zone_offsets)

    def draw(self, at: Position) -> StreamRecords:
        """Give the records at a position; see `records`."""
        return {STREAM.name: self.records(at)}

    def records(self, at: Position) -> Records:
        """Give the payments at a position.

        The hour of the day is that of each account's country by its offset from UTC at the slice's start.
        Raises ValueError for a negative position, over 1,048,576 records at once or a rate that is not positive.
        """
        check_position(at.first, at.count, at.rate)
        chosen = self._chosen(at)
        times = timestamps.grid(at.start, at.rate, at.first, at.count)
        numbers = np.arange(at.first, at.first + at.count, dtype=np.uint64)
        ids = identifiers(seed_of(_NAME, at.window_id, at.slice_number), numbers)
        lines = self._lines(self._with_hours(chosen, times, at.start))
        _write(lines, ids, timestamps.as_text(times))
        return Records(lines, pa.DictionaryArray.from_arrays(chosen.keys, self._columns.keys))

    def _chosen(self, at: Position) -> Choices:
        parts = [
            self._block(at.window_id, at.slice_number, block).slice(start, stop)
            for block, start, stop in pieces(at.first, at.count)
        ]
        return parts[0] if len(parts) == 1 else Choices.join(parts)

    def _choose_block(self, window_id: str, slice_number: int, block: int) -> Choices:
        return choose(self._columns, seed_of(_NAME, window_id, slice_number, block))

    def _zone_offsets(self, start: int) -> np.ndarray:
        return timestamps.offsets_at(start, self._zones)

    def _with_hours(self, chosen: Choices, times: np.ndarray, start: int) -> np.ndarray:
        hours = timestamps.local_hours(times, self._offsets(start).take(chosen.country))
        rows = chosen.fragments.copy()
        rows[:, Kind.HOUR] += (hours + _MIDNIGHT) * chosen.hour_known
        return rows

    def _lines(self, rows: np.ndarray) -> pa.BinaryArray:
        """Gather all fragments of all rows at once: what lies side by side is a line.

        Views are gathered first, then their text in one pass over memory of the right size: `take` of the text itself
        lets its memory grow as it goes, which costs a third more.
        """
        views = self._views.take(rows.reshape(-1))
        gathered = pa.Array.from_buffers(pa.binary_view(), rows.size, [None, pa.py_buffer(views), *self._text])
        _, offsets, data = gathered.cast(pa.binary()).buffers()
        ends = np.frombuffer(offsets, np.int32)[: rows.size + 1 : len(Kind)].copy()
        return pa.BinaryArray.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(ends), data])


def _viewed(fragments: pa.BinaryArray) -> tuple[np.ndarray, list[pa.Buffer]]:
    """Give Arrow's 16-byte views of the fragments, and the memory that they look at."""
    _, views, *text = fragments.cast(pa.binary_view()).buffers()
    return np.frombuffer(views, "V16")[: len(fragments)], text


def _write(lines: pa.BinaryArray, ids: np.ndarray, times: np.ndarray) -> None:
    """Write each line's id and time into the room that its fragments left; the lines are not yet anyone else's."""
    _, offsets, data = lines.buffers()
    bounds = np.frombuffer(offsets, np.int32)
    _scatter(data, bounds[:-1] + ID_AT, ids)
    _scatter(data, bounds[1:] - TIME_BEFORE_END, times)


def _scatter(data: pa.Buffer, places: np.ndarray, texts: np.ndarray) -> None:
    """Write row i of uint8[n, width] at byte `places[i]`, through a view of every `width` bytes that lie in a row."""
    width = texts.shape[1]
    if len(places) == 0:
        return
    windows = np.ndarray(data.size - width + 1, dtype=f"V{width}", buffer=data, strides=(1,))
    windows[places] = texts.view(f"V{width}").reshape(-1)


FEED = Feed(
    name=_NAME,
    streams=(STREAM,),
    source=Drawn(VERSION, build, draw=lambda pool: Payments(pool).draw),
    lead=timedelta(seconds=5),
    rate=100,
    replay=Replayed(STREAM.contract, time="transactionDateTime"),
)
