"""What a window is, and the legs and slices it is cut into."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Between these two lies every time that a caller may name; ids and date arithmetic would bear others badly."""
TIME_RULE: Final = f"must lie between {EARLIEST:%Y-%m-%d} and {LATEST:%Y-%m-%d}"

_STAMP = "%Y%m%dT%H%M%SZ"


def feed_of(window_id: str) -> str:
    """Name the feed of a window by its id; empty where that is none."""
    return window_id.rpartition("-")[0]


def window_of(attempt_id: str) -> str:
    """Name the window of a try at a slice, or of a closing, by what events call it."""
    return attempt_id.partition("/")[0]


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The bounded time `[start, end)` in which one feed is ingested; both ends are whole UTC seconds."""

    feed: str
    start: datetime
    end: datetime

    @property
    def id(self) -> str:
        """Name the window as every other room does: `trades-20261122T100000Z`."""
        return f"{self.feed}-{stamp(self.start)}"

    def closing_attempt_id(self, attempt: int) -> str:
        """Name the closing of an attempt of the window as events carry it that were sent by it."""
        return f"{self.id}/close.{attempt}"

    @property
    def length(self) -> timedelta:
        """Give the time from start to end."""
        return self.end - self.start

    def overlaps(self, other: "Window") -> bool:
        """Say whether both windows are of one feed and share an instant."""
        return self.feed == other.feed and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Slice:
    """The part `[start, end)` of a window that one activity ingests; `number` counts from 0 over the whole window."""

    window_id: str
    number: int
    start: datetime
    end: datetime

    def attempt_id(self, attempt: int) -> str:
        """Name one try at this slice as events carry it: `<window id>/<number>.<attempt>`."""
        return f"{self.window_id}/{self.number}.{attempt}"

    def as_wire(self) -> dict[str, Any]:
        """Give the slice as plain JSON for a durable boundary."""
        return {
            "window_id": self.window_id,
            "number": self.number,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
        }

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> "Slice":
        """Read what `as_wire` gave."""
        return cls(
            wire["window_id"],
            wire["number"],
            datetime.fromisoformat(wire["start"]),
            datetime.fromisoformat(wire["end"]),
        )


@dataclass(frozen=True, slots=True)
class Leg:
    """A row of slices that one sub-orchestration runs."""

    number: int
    slices: tuple[Slice, ...]


def stamp(instant: datetime) -> str:
    """Write an instant as it stands in ids, in UTC and to the second: `20261122T100000Z`."""
    utc = instant.astimezone(UTC)
    return f"{utc.year:04d}{utc:%m%dT%H%M%SZ}"  # %Y gives years before 1000 fewer digits than four


def parse_stamp(text: str) -> datetime:
    """Read what `stamp` wrote; raises ValueError for any other text."""
    instant = datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    if stamp(instant) != text:
        raise ValueError(f"{text[:40]!r} does not match yyyymmddThhmmssZ.")
    return instant


def microseconds(instant: datetime) -> int:
    """Give the microseconds from the Unix epoch to an aware instant, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
