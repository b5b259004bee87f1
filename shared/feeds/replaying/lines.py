"""Writes the fields of many lines as JSON lines, in one pass over memory: each field between the names around it.

A line of CSV is seen as gaps and fields in turns: what stands before the first field, the field, what stands between it
and the next one, ..., what stands behind the last one, and the line break. A gap is a comma, or some fields of few
values with the commas around them, which are looked up as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from shared.contracts import Column
from shared.feeds.replaying.fields import Bools, Bytes, Ints, Offsets
from shared.feeds.replaying.values import INLINE

VIEW = np.dtype("V16")
ROOM = 32
"""Bytes behind a text, so that eight can be taken from each place of a field of 27 bytes, were it the last one."""

_AHEAD = 4  # of a view, before its text
_LENGTH, _BUFFER, _OFFSET = 0, 2, 3


@dataclass(frozen=True, slots=True)
class Cells:
    """The fields of many lines, all columns of them.

    text: what they lie in, and `ROOM` bytes behind it. edges: int32[lines, 2 * columns], where each begins and ends in
    `text`, in turns. rows: V16[lines, pieces], Arrow's views of what is written of a line: at first its gaps and fields
    as they are. pieces: of a column that is a field, and no part of a gap, its piece. buffers: what views may point to,
    `text` the first. gaps: what is written instead of gaps that are no names, by their pieces.
    """

    text: Bytes
    edges: Offsets
    rows: np.ndarray
    pieces: dict[int, int]
    buffers: list[Bytes] = field(default_factory=list)
    gaps: dict[int, np.ndarray] = field(default_factory=dict)

    def lengths(self, columns: Sequence[int]) -> Ints:
        """Give int64[columns, lines]: the bytes of fields."""
        parts = self.rows.view("<u4")
        found = np.empty((len(columns), len(self.rows)), np.int64)
        for place, column in enumerate(columns):
            found[place] = parts[:, 4 * self.pieces[column] + _LENGTH]
        return found

    def words(self, columns: Sequence[int]) -> np.ndarray:
        """Give uint64[columns, lines]: eight bytes of each field of at most 12 bytes, zeros behind its end."""
        found = np.empty((len(columns), len(self.rows)), np.uint64)
        for place, column in enumerate(columns):
            at = VIEW.itemsize * self.pieces[column] + _AHEAD
            found[place] = np.ndarray(len(self.rows), "<u8", self.rows.data, at, self.rows.strides[:1])
        return found

    def words_at(self, starts: Ints) -> np.ndarray:
        """Give eight bytes of the text from each place on."""
        eights: np.ndarray = np.ndarray(self.text.size - 7, "<u8", self.text.data, 0, (1,))
        return eights[starts]

    def texts(self, column: int, where: Bools | slice = slice(None)) -> pa.StringArray:
        """Give what the file holds of a column, of all lines or some."""
        edges = self.edges[where, 2 * column : 2 * column + 2]
        views = np.ascontiguousarray(_views(self.text, edges)[:, 0])
        every = pa.Array.from_buffers(
            pa.binary_view(), len(views), [None, pa.py_buffer(views), pa.py_buffer(self.text)]
        )
        return every.cast(pa.binary()).cast(pa.string())

    def show(self, column: int, where: Bools, texts: Bytes) -> None:
        """Let some lines show texts instead of a column's field, uint8[n, more than 12]."""
        views = np.empty((len(texts), 4), "<u4")
        views[:, _LENGTH], views[:, _BUFFER] = texts.shape[1], len(self.buffers)
        views[:, 1] = np.ascontiguousarray(texts[:, :4]).view("<u4").reshape(-1)
        views[:, _OFFSET] = np.arange(0, texts.size, texts.shape[1])
        self.rows[where, self.pieces[column]] = views.view(VIEW).reshape(-1)
        self.buffers.append(texts.reshape(-1))


class LineWriter:
    """Writes JSON lines that have all columns of a contract, in its order."""

    def __init__(self, columns: Sequence[Column], spans: Sequence[range], texts: Sequence[Bytes]) -> None:
        """Prepare what stands between the fields.

        spans: the columns that are parts of gaps. texts: what the views of what is written for them point to.
        """
        joined = {number for span in spans for number in span}
        apart = [number for number in range(len(columns)) if number not in joined]
        edges = [edge for number in apart for edge in (2 * number, 2 * number + 1)]
        self._bounds = np.array([0, *edges, 2 * len(columns) - 1], np.int64)
        self._pieces = {number: 2 * place + 1 for place, number in enumerate(apart)}
        names = names_around(columns)
        self._names = pa.array(
            [b"" if number - 1 in joined else names[number] for number in [*apart, len(columns)]], pa.binary_view()
        )
        self._texts = texts

    def cells(self, text: Bytes, edges: Offsets) -> Cells:
        """Take the fields of many lines as they are."""
        rows = _views(text, edges.take(self._bounds, 1))
        return Cells(text, edges, rows, self._pieces, [text, *self._texts])

    def lines(self, cells: Cells) -> pa.BinaryArray:
        """Give the line of each row."""
        rows = cells.rows
        names = np.frombuffer(self._names.buffers()[1], "<u4").reshape(-1, 4).copy()
        names[names[:, _LENGTH] > INLINE, _BUFFER] = len(cells.buffers)
        rows[:, ::2] = names.view(VIEW)[:, 0]
        rows[:, -1] = _inline(b"")
        for piece, views in cells.gaps.items():
            rows[:, piece] = views
        buffers = [*map(pa.py_buffer, cells.buffers), *self._names.buffers()[2:]]
        every = pa.Array.from_buffers(pa.binary_view(), rows.size, [None, pa.py_buffer(rows), *buffers])
        _, offsets, data = every.cast(pa.binary()).buffers()
        bounds = np.frombuffer(offsets, np.int32)[: rows.size + 1 : rows.shape[1]].copy()
        return pa.BinaryArray.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(bounds), data])


def in_order(text: Bytes, edges: Offsets, places: Sequence[int]) -> tuple[Bytes, Offsets]:
    """Write the lines anew, with their columns in another order and no quotes around fields.

    Gives the text, and where each field begins and ends in it, in turns.
    """
    rows = np.empty(edges.shape, VIEW)
    rows[:, ::2] = _views(text, edges.reshape(-1, 2))[:, 0].reshape(-1, len(places))[:, places]
    rows[:, 1::2], rows[:, -1] = _inline(b","), _inline(b"\n")
    every = pa.Array.from_buffers(pa.binary_view(), rows.size, [None, pa.py_buffer(rows), pa.py_buffer(text)])
    _, offsets, data = every.cast(pa.binary()).buffers()
    places_in_text = np.frombuffer(offsets, np.int32, rows.size + 1)
    size = int(places_in_text[-1])
    written = np.concatenate((np.frombuffer(data, np.uint8, size), np.zeros(ROOM, np.uint8)))
    return written, places_in_text[:-1].reshape(edges.shape)


def _inline(text: bytes) -> np.void:
    return np.void(len(text).to_bytes(4, "little") + text.ljust(INLINE, b"\0"))


def _views(text: Bytes, bounds: Offsets) -> np.ndarray:
    """Give V16[lines, places]: Arrow's views of what lies from each place to the next, ascending ones."""
    if not bounds.size:
        return np.empty(bounds.shape, VIEW)
    every = np.append(bounds.reshape(-1), bounds[-1:, -1])
    pieces = pa.Array.from_buffers(pa.binary(), bounds.size, [None, pa.py_buffer(every), pa.py_buffer(text)])
    views: np.ndarray = np.frombuffer(pieces.cast(pa.binary_view()).buffers()[1], VIEW, bounds.size)
    return views.reshape(bounds.shape)


def names_around(columns: Sequence[Column]) -> list[bytes]:
    """Give what stands before the first field, between each two, and behind the last."""
    marks = ['"' if is_quoted(column) else "" for column in columns]
    names = [("{" if number == 0 else ",") + f'"{column.name}":' for number, column in enumerate(columns)] + ["}\n"]
    return [
        (before + name + after).encode() for before, name, after in zip(["", *marks], names, [*marks, ""], strict=True)
    ]


def is_quoted(column: Column) -> bool:
    """Say whether JSON writes the column's values in quotes."""
    return column.kind in ("string", "date-time")
