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


def opening(window: Window) -> Announcement:
    """Tell that a window opens."""
    subject = f"{_OPENING_SUBJECT}{_title(window.feed)}"
    return Announcement(window.id, OPENED, subject, _bounds(window, window.end), window.start)


def closing(window: Window, end: datetime, state: str, counts: Mapping[str, Mapping[str, int]]) -> Announcement:
    """Tell that a window is over: its real end, its state in the ledger, and counts by stream."""
    data = _bounds(window, end) | {"state": state, "counts": {stream: dict(row) for stream, row in counts.items()}}
    return Announcement(f"{window.id}/closed", CLOSED, f"{_CLOSING_SUBJECT}{_title(window.feed)}", data, end)


def window_of(event: Mapping[str, Any]) -> str | None:
    """Give the id of the window whose opening an event tells, or None where it tells of none.

    `event` is one event in the Event Grid schema (`eventType`) or the CloudEvents one (`type`), its `data` an object or
    the JSON text of one. The window is named in the data, else by the event's id, and the subject must name its feed.
    """
    if (event.get("eventType") or event.get("type")) != OPENED:
        return None
    named = _object(event.get("data")).get("window", event.get("id"))
    feed = _feed_of(named)
    return named if feed and event.get("subject") == f"{_OPENING_SUBJECT}{_title(feed)}" else None


def _bounds(window: Window, end: datetime) -> dict[str, Any]:
    return {
        "window": window.id,
        "feed": window.feed,
        "start": window.start.isoformat(),
        "end": end.isoformat(),
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
