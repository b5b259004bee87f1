"""What is known of a recording's lines once they were read: where they begin, and how late their own times are."""

import bisect
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.feeds.replaying.blocks import TimeMark

_STEP: Final = 8 << 20  # bytes between two places of lines
_LINES: Final = 20_000  # lines between two marks of times


@dataclass(slots=True)
class LineIndex:
    """Where lines begin in a recording: (number, byte) pairs, ascending, kept in a file beside its copy."""

    path: Path
    marks: list[tuple[int, int]] = field(default_factory=lambda: [(1, 0)])

    @classmethod
    def read(cls, path: Path) -> "LineIndex":
        """Read what was kept; a damaged index is no index."""
        return cls(path, _read(path) or [(1, 0)])

    def before(self, line: int) -> tuple[int, int]:
        """Give the last known place at or before a line."""
        return self.marks[bisect.bisect_right(self.marks, (line, 1 << 62)) - 1]

    def note(self, line: int, at: int) -> None:
        """Keep a place that is far enough behind the last one."""
        if at >= self.marks[-1][1] + _STEP:
            self.marks.append((line, at))

    def keep(self) -> None:
        """Write it."""
        _keep(self.path, self.marks)


@dataclass(slots=True)
class TimeIndex:
    """How late the own times of a recording's lines are, at some of them, kept in a file beside its copy."""

    path: Path
    marks: list[TimeMark] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "TimeIndex":
        """Read what was kept; a damaged index is no index."""
        return cls(path, [TimeMark(*pair) for pair in _read(path)])

    def note(self, mark: TimeMark) -> None:
        """Keep a mark that is far enough behind the last one."""
        if mark.line >= (self.marks[-1].line if self.marks else 0) + _LINES:
            self.marks.append(mark)
            _keep(self.path, [(one.line, one.latest) for one in self.marks])


def _read(path: Path) -> list[tuple[int, int]]:
    try:
        return [(int(line), int(other)) for line, other in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _keep(path: Path, pairs: Sequence[tuple[int, int]]) -> None:
    """Write pairs, whole or not at all; a folder that takes no file costs the next reader time only."""
    partial = path.with_suffix(f".{id(pairs)}.partial")
    try:
        partial.write_text(json.dumps(pairs), encoding="utf-8")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
