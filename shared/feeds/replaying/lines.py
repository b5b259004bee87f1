"""Writes the fields of many lines as JSON lines, in one pass over memory: each field between the names around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from shared.contracts import Column
from shared.feeds.replaying.fields import Bools, Bytes, Ints

VIEW = np.dtype("V16")
ROOM = VIEW.itemsize
_AHEAD = 4  # of a view, before its text
INLINE = 12
"""Bytes of text that Arrow's view of it holds itself; of a longer one it holds the first four, and where it lies."""

_LENGTH, _BUFFER, _OFFSET = 0, 2, 3
_TEXT, _MORE = 1, 2  # the buffers that views point to, behind that of the names

type Indices = Sequence[int] | Ints


@dataclass(frozen=True, slots=True)
class Cells:
    """The fields of many lines, all columns of them.

    text: what they lie in, with `ROOM` bytes before and behind. starts, lengths: int64[lines, columns], of each in
    `text` behind its room. views: V16[lines, columns], Arrow's views of what is written of each, at first the field as
    it is. more: the buffers that views may point to beside `text`.
    """

    text: Bytes
    starts: Ints
    lengths: Ints
    views: np.ndarray
    more: list[Bytes] = field(default_factory=list)

    def words(self, columns: Indices, at: int = 0) -> np.ndarray:
        """Give eight bytes of each field, from that one on, 0 or 8; what lies behind a shorter one is not cleared."""
        eights: np.ndarray = np.ndarray(self.text.size - ROOM - at - 7, "<u8", self.text.data, ROOM + at, (1,))
        return eights[self.starts[:, columns]]

    def texts(self, column: int, where: Bools | slice = slice(None)) -> pa.StringArray:
        """Give what is written of a column, of all lines or some."""
        views = np.ascontiguousarray(self.views[where, column])
        buffers = [None, *map(pa.py_buffer, (views, b"", self.text[ROOM:], *self.more))]
        return pa.Array.from_buffers(pa.binary_view(), len(views), buffers).cast(pa.binary()).cast(pa.string())

    def show(self, column: int, where: Bools, texts: Bytes) -> None:
        """Let some lines show texts instead of a column's field, uint8[n, more than 12]."""
        views = np.empty((len(texts), 4), "<u4")
        views[:, _LENGTH], views[:, _BUFFER] = texts.shape[1], _MORE + len(self.more)
        views[:, 1] = np.ascontiguousarray(texts[:, :4]).view("<u4").reshape(-1)
        views[:, _OFFSET] = np.arange(0, texts.size, texts.shape[1])
        self.views[where, column] = views.view(VIEW).reshape(-1)
        self.more.append(texts.reshape(-1))


class LineWriter:
    """Writes JSON lines that have all columns of a contract, in its order.

    Its memory is used again for each block: the cells of one are gone with the next. Not for several threads at once.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        """Prepare what stands between the fields."""
        self._between = pa.array(_between(columns), pa.binary_view())
        self._views = np.empty((0, 2 * len(columns) + 1), VIEW)

    def cells(self, text: Bytes, starts: Ints, lengths: Ints) -> Cells:
        """Take the fields of many lines as they are."""
        rows = self._rows(len(starts))
        views = rows[:, 1::2]
        windows = np.ndarray(text.size - ROOM - INLINE + 1, VIEW, text.data, ROOM - _AHEAD, (1,))
        views[:] = windows[starts]
        parts = rows.view("<u4").reshape(*rows.shape, 4)[:, 1::2]
        parts[:, :, _LENGTH] = lengths
        line, column = np.divmod(np.flatnonzero(lengths > INLINE), lengths.shape[1])
        parts[line, column, _BUFFER] = _TEXT
        parts[line, column, _OFFSET] = starts[line, column]
        return Cells(text, starts, lengths, views)

    def lines(self, cells: Cells) -> pa.BinaryArray:
        """Give the line of each row."""
        rows = self._rows(len(cells.starts))
        names = self._between.buffers()[2:] or [pa.py_buffer(b"")]
        buffers = [pa.py_buffer(rows), *names, pa.py_buffer(cells.text[ROOM:]), *map(pa.py_buffer, cells.more)]
        every = pa.Array.from_buffers(pa.binary_view(), rows.size, [None, *buffers])
        _, offsets, data = every.cast(pa.binary()).buffers()
        bounds = np.frombuffer(offsets, np.int32)[: rows.size + 1 : rows.shape[1]].copy()
        return pa.BinaryArray.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(bounds), data])

    def _rows(self, count: int) -> np.ndarray:
        """Give room for so many lines' views, those of the names in their places."""
        if len(self._views) < count:
            self._views = np.empty((count, self._views.shape[1]), VIEW)
            self._views[:, 0::2] = np.frombuffer(self._between.buffers()[1], VIEW)[: len(self._between)]
        return self._views[:count]


def _between(columns: Sequence[Column]) -> list[bytes]:
    """Give what stands before the first field, between each two, and behind the last."""
    marks = ['"' if _is_quoted(column) else "" for column in columns]
    names = [("{" if number == 0 else ",") + f'"{column.name}":' for number, column in enumerate(columns)] + ["}\n"]
    return [
        (before + name + after).encode() for before, name, after in zip(["", *marks], names, [*marks, ""], strict=True)
    ]


def _is_quoted(column: Column) -> bool:
    return column.kind in ("string", "date-time")
