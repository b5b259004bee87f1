"""What a run is told of its window, and what `closed.json` says of it once it has ended."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_ID = re.compile(r"[A-Za-z0-9_]+-\d{8}T\d{6}Z")
_DURATION = re.compile(r"(\d+):([0-5]\d):([0-5]\d)")


class BadOrder(ValueError):
    """A parameter of the job, or a window's marker, that can't be read; says which and what is expected."""


@dataclass(frozen=True, slots=True)
class Order:
    """The window that a run follows. lookup_path: in the reference store; empty where the stream has no lookup."""

    window_id: str
    start: datetime
    end: datetime
    stream: str
    lookup_path: str
    grace: timedelta
    drain_limit: timedelta

    @property
    def gives_up_at(self) -> datetime:
        """Give the moment after which the run no longer waits for its window to be closed."""
        return self.end + self.grace + self.drain_limit


@dataclass(frozen=True, slots=True)
class Tally:
    """What the app counted of one stream, over the attempt that completed each slice."""

    read: int
    accepted: int
    refused: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A window's end as the app recorded it, for one stream.

    last: each partition's last sequence number, -1 where it is empty. attempts: the attempt that completed each slice.
    """

    state: str
    tally: Tally
    last: Mapping[str, int]
    attempts: Mapping[str, int]


def marker_path(window_id: str) -> str:
    """Name the marker in the reference store: `windows/<window id>/closed.json`."""
    return f"windows/{window_id}/closed.json"


def parse_window_id(text: str) -> str:
    """Check a window's id, `<feed>-<yyyymmddThhmmssZ>`; raises BadOrder."""
    if not _ID.fullmatch(text):
        raise BadOrder(f"window_id: {text!r} is no window id; expected <feed>-<yyyymmddThhmmssZ>.")
    return text


def parse_instant(name: str, text: str) -> datetime:
    """Read an ISO 8601 time with its offset; raises BadOrder."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadOrder(f"{name}: {text!r} is no time; expected such as 2026-11-22T10:00:00Z.") from error
    if instant.tzinfo is None:
        raise BadOrder(f"{name}: {text!r} has no offset; write it in UTC, with Z at its end.")
    return instant


def parse_duration(name: str, text: str) -> timedelta:
    """Read a duration written as hh:mm:ss; raises BadOrder."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadOrder(f"{name}: {text!r} is no duration; expected hh:mm:ss.")
    hours, minutes, seconds = map(int, match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def parse_closed(document: bytes, stream: str) -> Closed:
    """Read a window's marker for one stream; raises BadOrder where it names neither counts nor positions of it."""
    try:
        marker = json.loads(document)
        return _closed(marker, stream)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadOrder(f"closed.json can't be read for stream {stream!r}: {type(error).__name__} {error}.") from error


def _closed(marker: Mapping[str, Any], stream: str) -> Closed:
    counts = marker["counts"].get(stream, {})
    return Closed(
        state=str(marker["state"]),
        tally=Tally(*(int(counts.get(name, 0)) for name in ("read", "accepted", "refused", "unknown"))),
        last={partition: int(number) for partition, number in marker["last_sequence_numbers"][stream].items()},
        attempts={number: int(attempt) for number, attempt in marker.get("attempts", {}).items()},
    )
