"""Lines of a recording as they are read from its file: some at a time, and always whole ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

_BREAK = 10


def count_breaks(content: bytes) -> int:
    """Count the line breaks, several times as fast as bytes.count does where lines are short."""
    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == _BREAK))


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole lines, each of which ends in a line break. first: the number of the first one in its file, from 1.

    cut: the block is one line that is longer than any may be, of which the rest is left out.
    """

    first: int
    content: bytes
    cut: bool = False

    @property
    def after(self) -> int:
        """Give the number of the line behind the last one."""
        return self.first + count_breaks(self.content)


@dataclass(frozen=True, slots=True)
class TimeMark:
    """How late a recording is at a line: `latest` is the latest own time of the lines before it that are replayed.

    It is in microseconds since the epoch.
    """

    line: int
    latest: int


class Recording(Protocol):
    """A recording that gives its lines from any one on, and remembers how late it is where."""

    def blocks(self, line: int) -> Iterator[LineBlock]:
        """Give the lines from that one on."""

    def times(self, first: int) -> Sequence[TimeMark]:
        """Give what was noted of the lines from that one on, ascending."""

    def note_time(self, first: int, mark: TimeMark) -> None:
        """Note a mark of the lines from `first` on."""
