"""Lines of a recording as they are read from its file: some at a time, and always whole ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole lines, each of which ends in a line break. first: the number of the first one in its file, from 1.

    cut: the block is one line that is longer than any may be, of which the rest is left out.
    """

    first: int
    content: bytes
    cut: bool = False


class Recording(Protocol):
    """A recording that gives its lines from any one on."""

    def blocks(self, line: int) -> Iterator[LineBlock]:
        """Give the lines from that one on."""
