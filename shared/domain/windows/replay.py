"""What a window replays, and when each line of it is due; all of it is frozen into the window's plan."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import floor
from typing import Any, Self

_SECOND = 1_000_000
_ROUNDING = 1e-6
_WITHOUT_END = 1 << 62


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """How windows replay. lead, run: seconds. speed: 0 is by rate. first: the line of the file where each begins."""

    lead: float = 0.0
    run: float = 0.0
    speed: float = 0.0
    first: int = 1


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """One window's replay.

    file: where it lies, without what may be secret. identity: size, version and first bytes of that file. lead: so many
    seconds after the window's start its first line is sent. run: for so many seconds lines are sent, 0 is to the
    window's end. speed: how much faster than by the file's own times, 0 is by the plan's rate. first: the line of the
    file, from 1, with which the window begins.
    """

    file: str
    identity: str
    lead: float
    run: float
    speed: float
    first: int

    def as_wire(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any] | None) -> Self | None:
        """Read what `as_wire` gave; None stays None."""
        return cls(**wire) if wire else None

    def again(self, now: "ReplayPlan | None") -> "ReplayPlan":
        """Give what a window's next attempt replays: the same lines of the same file, as that lies there `now`.

        A file that was put in the place of a damaged one is taken; one at another place is not.
        """
        return replace(self, identity=now.identity) if now and now.file == self.file else self

    @property
    def end(self) -> int:
        """Give the microseconds from the window's start after which no line is due any more."""
        return floor((self.lead + self.run) * _SECOND) if self.run else _WITHOUT_END

    def lines_before(self, elapsed: int, rate: float) -> int:
        """Count the lines that are due in the first so many microseconds of the window, at a rate a second."""
        seconds = min(elapsed, self.end) / _SECOND - self.lead
        return max(0, floor(seconds * rate + _ROUNDING))

    def due_by_rate(self, line: int, rate: float) -> float:
        """Give the microseconds after the window's start at which the `line`th line is due, the first being 1."""
        return (self.lead + line / rate) * _SECOND
