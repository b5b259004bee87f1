"""Writes the fields of many lines as JSON lines, in one pass over memory: each field between the names around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from shared.contracts import Column
from shared.feeds.replaying.fields import Bools, Bytes, Ints

VIEW = np.dtype("V16")
INLINE = 12
"""Bytes of text that Arrow's view of it holds itself; of a longer one it holds the first four, and where it lies."""

_LENGTH, _BUFFER, _OFFSET = 0, 2, 3
_TEXT, _MORE = 1, 2  # the buffers that views point to, behind that of the names; each column may have one more


@dataclass(slots=True)
class Views:
    """The fields of one column as Arrow's views of a text that has 16 bytes of room at both ends."""

    text: Bytes
    starts: Ints
    lengths: Ints
    views: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        windows = np.ndarray(self.text.size - VIEW.itemsize + 1, VIEW, self.text.data, strides=(1,))
        self.views = windows[self.starts - 4]
        parts = self.parts
        parts[:, _LENGTH] = self.lengths
        if self.lengths.size and self.lengths.max() > INLINE:
            long = self.lengths > INLINE
            parts[long, _BUFFER] = _TEXT
            parts[long, _OFFSET] = self.starts[long]

    @property
    def parts(self) -> np.ndarray:
        """Give the views as uint32[n, 4]."""
        return self.views.view("<u4").reshape(-1, 4)

    def words(self) -> np.ndarray:
        """Give the first eight bytes of each field; what lies behind a shorter one is not cleared."""
        return np.ascontiguousarray(self.parts[:, 1:3]).view("<u8").reshape(-1)

    def show(self, where: Bools, texts: Bytes, column: int) -> None:
        """Let some views show texts instead, uint8[n, more than 12], which are the further buffer of that column."""
        parts, width = self.parts, texts.shape[1]
        parts[where, _LENGTH] = width
        parts[where, 1] = np.ascontiguousarray(texts[:, :4]).view("<u4").reshape(-1)
        parts[where, _BUFFER] = _MORE + column
        parts[where, _OFFSET] = np.arange(0, texts.size, width)


class LineWriter:
    """Writes JSON lines that have all columns of a contract, in its order."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Prepare what stands between the fields."""
        self._between = pa.array(_between(columns), pa.binary_view())
        self._names = np.frombuffer(self._between.buffers()[1], VIEW)[: len(self._between)]

    def lines(self, columns: Sequence[Views], text: Bytes, more: Sequence[Bytes]) -> pa.BinaryArray:
        """Give the line of each row. columns: the views of each, of equal length, into `text` and its own of `more`."""
        rows, width = len(columns[0].views), 2 * len(columns) + 1
        views = np.empty((rows, width), VIEW)
        views[:, 0::2] = self._names
        for number, column in enumerate(columns):
            views[:, 2 * number + 1] = column.views
        names = self._between.buffers()[2:] or [pa.py_buffer(b"")]
        buffers = [pa.py_buffer(views), *names, pa.py_buffer(text), *map(pa.py_buffer, more)]
        every = pa.Array.from_buffers(pa.binary_view(), rows * width, [None, *buffers])
        _, offsets, data = every.cast(pa.binary()).buffers()
        bounds = np.frombuffer(offsets, np.int32)[: rows * width + 1 : width].copy()
        return pa.BinaryArray.from_buffers(pa.binary(), rows, [None, pa.py_buffer(bounds), data])


def _between(columns: Sequence[Column]) -> list[bytes]:
    """Give what stands before the first field, between each two, and behind the last."""
    marks = ['"' if _is_quoted(column) else "" for column in columns]
    names = [("{" if number == 0 else ",") + f'"{column.name}":' for number, column in enumerate(columns)] + ["}\n"]
    return [
        (before + name + after).encode() for before, name, after in zip(["", *marks], names, [*marks, ""], strict=True)
    ]


def _is_quoted(column: Column) -> bool:
    return column.kind in ("string", "date-time")


def texts_of(column: Views, text: Bytes) -> pa.StringArray:
    """Give the fields of a column as texts."""
    buffers = [None, pa.py_buffer(column.views), pa.py_buffer(b""), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.binary_view(), len(column.views), buffers).cast(pa.binary()).cast(pa.string())
