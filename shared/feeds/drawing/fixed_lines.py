"""Lines of JSON that are all of one width: then a line is a row of a matrix, and a property a column of it.

Where a value is shorter than its gap it is padded with spaces, which JSON allows between its tokens. That costs a few
bytes a line, and is several times faster than joining texts of different widths.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate

import numpy as np
import pyarrow as pa

from shared.feeds.drawing.lines import text_column

type Gaps = Mapping[str, np.ndarray]

PART = 8_192
"""Lines whose texts are made at once, where they are made in parts: a column of many wide texts is new memory, and
numpy gives it back to the system each time."""

_GAP = re.compile(r"<(\w+):(\d+)>")


class LineTemplate:
    """A line with gaps, such as `{"id":"<id:36>","count":<count:2>}`."""

    def __init__(self, text: str) -> None:
        """Read the template; a gap is `<name:width>`, its width in bytes."""
        blank = _GAP.sub(lambda gap: " " * int(gap[2]), text).encode()
        self._blank = np.frombuffer(blank, f"V{len(blank)}")
        self._row = _row_of(text, len(blank))

    def lines(self, count: int, columns: Gaps) -> pa.BinaryArray:
        """Write `count` lines from the column of each gap, V[n] as wide as the gap."""
        rows = self._rows(count)
        self._fill(rows, columns)
        return _lines(rows)

    def lines_in_parts(self, count: int, columns: Callable[[slice], Gaps]) -> pa.BinaryArray:
        """Write `count` lines, asking for the columns of one part of them after the other."""
        rows = self._rows(count)
        for first in range(0, count, PART):
            part = slice(first, min(first + PART, count))
            self._fill(rows[part], columns(part))
        return _lines(rows)

    def _rows(self, count: int) -> np.ndarray:
        memory = pa.allocate_buffer(count * self._row.itemsize)  # Arrow keeps memory for the next lines
        return np.frombuffer(memory, self._blank.dtype)

    def _fill(self, rows: np.ndarray, columns: Gaps) -> None:
        rows[:] = self._blank
        for name, texts in columns.items():
            rows.view(self._row)[name] = texts


def table_of(texts: Iterable[str]) -> np.ndarray:
    """Give texts as a table to take from, V[n]: UTF-8, those that are shorter than the longest padded at their end."""
    encoded = [text.encode() for text in texts]
    width = max(map(len, encoded))
    return np.frombuffer(b"".join(text.ljust(width) for text in encoded), f"V{width}")


def _lines(rows: np.ndarray) -> pa.BinaryArray:
    return text_column(rows.view(np.uint8).reshape(len(rows), rows.itemsize)).view(pa.binary())


def _row_of(text: str, width: int) -> np.dtype:
    gaps = list(_GAP.finditer(text))
    widths = [int(gap[2]) for gap in gaps]
    shifts = accumulate((int(gap[2]) - len(gap[0]) for gap in gaps), initial=0)
    offsets = [gap.start() + shift for gap, shift in zip(gaps, shifts, strict=False)]
    names = [gap[1] for gap in gaps]
    return np.dtype({"names": names, "formats": [f"V{one}" for one in widths], "offsets": offsets, "itemsize": width})
