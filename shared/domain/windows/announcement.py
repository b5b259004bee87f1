"""What the app tells the world about its windows, and how it knows its own words again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.domain.windows.window import Window, parse_stamp

OPENED: Final = "ADF_Event"
CLOSED: Final = "Window_Closed"

_OPENING_SUBJECT = "ADF_Trigger_"
_CLOSING_SUBJECT = "Window_Closed_"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event for a topic; `data` is plain JSON, `time` an instant of the window, so that a repeat is the same."""

    id: str
    event_type: str
    subject: str
    data: Mapping[str, Any]
    time: datetime


def opening(window: Window, attempt: int = 1) -> Announcement:
    """Tell that a window opens, or opens again as its next attempt: another event, about the same window."""
    subject = f"{_OPENING_SUBJECT}{_title(window.feed)}"
    return Announcement(_event_id(window, attempt), OPENED, subject, _bounds(window, window.end, attempt), window.start)


def closing(
    window: Window, end: datetime, state: str, counts: Mapping[str, Mapping[str, int]], attempt: int = 1
) -> Announcement:
    """Tell that an attempt of a window is over: its real end, its state in the ledger, and counts by stream."""
    result = {"state": state, "counts": {stream: dict(row) for stream, row in counts.items()}}
    subject = f"{_CLOSING_SUBJECT}{_title(window.feed)}"
    return Announcement(
        f"{_event_id(window, attempt)}/closed", CLOSED, subject, _bounds(window, end, attempt) | result, end
    )


def window_of(event: Mapping[str, Any]) -> str | None:
    """Give the id of the window whose opening an event tells, or None where it tells of none.

    `event` is one event in the Event Grid schema (`eventType`) or the CloudEvents one (`type`), its `data` an object or
    the JSON text of one. The window is named in the data, else by the event's id, and the subject must name its feed.
    """
    if (event.get("eventType") or event.get("type")) != OPENED:
        return None
    named = _object(event.get("data")).get("window", _window_named(event.get("id")))
    feed = _feed_of(named)
    return named if feed and event.get("subject") == f"{_OPENING_SUBJECT}{_title(feed)}" else None


def _event_id(window: Window, attempt: int) -> str:
    return window.id if attempt == 1 else f"{window.id}/a{attempt}"


def _window_named(event_id: object) -> object:
    return event_id.partition("/a")[0] if isinstance(event_id, str) else event_id


def _bounds(window: Window, end: datetime, attempt: int) -> dict[str, Any]:
    return {
        "window": window.id,
        "feed": window.feed,
        "start": window.start.isoformat(),
        "end": end.isoformat(),
        **({} if attempt == 1 else {"attempt": attempt}),
    }


def _title(feed: str) -> str:
    """Write a feed's name as subjects have it: `call_centre` is `CallCentre`."""
    return "".join(word.capitalize() for word in feed.split("_"))


def _object(data: object) -> Mapping[str, Any]:
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            return {}
    return data if isinstance(data, Mapping) else {}


def _feed_of(window_id: object) -> str | None:
    if not isinstance(window_id, str):
        return None
    feed, _, start = window_id.rpartition("-")
    try:
        parse_stamp(start)
    except ValueError:
        return None
    return feed
