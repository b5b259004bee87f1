"""What a run is asked to do, as its job's parameters say it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_ID = re.compile(r"[A-Za-z0-9_]+-\d{8}T\d{6}Z")
_DURATION = re.compile(r"(\d+):([0-5]\d):([0-5]\d)")


class InvalidParameter(ValueError):
    """A parameter of the job that can't be read; says which and what is expected."""


@dataclass(frozen=True, slots=True)
class RunRequest:
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


def parse_window_id(text: str) -> str:
    """Check a window's id, `<feed>-<yyyymmddThhmmssZ>`; raises InvalidParameter."""
    if not _ID.fullmatch(text):
        raise InvalidParameter(f"window_id: {text!r} is no window id; expected <feed>-<yyyymmddThhmmssZ>.")
    return text


def parse_instant(name: str, text: str) -> datetime:
    """Read an ISO 8601 time with its offset; raises InvalidParameter."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameter(f"{name}: {text!r} is no time; expected such as 2026-11-22T10:00:00Z.") from error
    if instant.tzinfo is None:
        raise InvalidParameter(f"{name}: {text!r} has no offset; write it in UTC, with Z at its end.")
    return instant


def parse_duration(name: str, text: str) -> timedelta:
    """Read a duration written as hh:mm:ss; raises InvalidParameter."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidParameter(f"{name}: {text!r} is no duration; expected hh:mm:ss.")
    hours, minutes, seconds = map(int, match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
