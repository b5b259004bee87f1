"""What a caller may ask of windows, and the windows that such a request means."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.windows.plan import MAX_WINDOW
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import Window
from shared.http.bodies import instant, json_object, rejected, text

MAX_BACK_FILL = timedelta(days=31)
_DURATION = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A wish to ingest one feed in `[start, end)`."""

    feed: str
    start: datetime
    end: datetime


def parse_open_request(body: bytes, feeds: tuple[str, ...]) -> OpenRequest:
    """Read the body of `POST /api/windows`: feed, start (ISO 8601; no zone means UTC), and length or end.

    Raises RequestRejected (400) that names the field and the rule.
    """
    document = json_object(body)
    feed = _feed(document, feeds)
    start = _whole_second(document, "start")
    end = _whole_second(document, "end") if "end" in document else start + _length(document)
    if end <= start:
        raise rejected("end", f"must be after start; it is {end.isoformat()}")
    if end - start > MAX_BACK_FILL:
        raise rejected("length", f"must be at most 31 days; it is {end - start}")
    return OpenRequest(feed, start, end)


def windows_of(request: OpenRequest, schedule: Schedule, now: datetime) -> list[Window]:
    """Give the one window of a request that ends after `now`, or the grid's windows that lie in a past one.

    Raises RequestRejected (400) where there is none, or where a window to come would be longer than a day.
    """
    if request.end <= now:
        return _back_fill(request, schedule)
    if request.start < now - schedule.lead:
        raise rejected("start", "must not have passed while the end has not: ask for the past and the future apart")
    if request.end - request.start > MAX_WINDOW:
        raise rejected("length", f"must be at most 24:00:00 for a window to come; it is {request.end - request.start}")
    return [Window(request.feed, request.start, request.end)]


def _back_fill(request: OpenRequest, schedule: Schedule) -> list[Window]:
    starts = schedule.starting_in(request.start, request.end)
    windows = [window for window in starts if window.end <= request.end]
    if not windows:
        rule = f"holds no whole window of the grid: one begins each {schedule.every} and is {schedule.length} long"
        raise rejected("start", rule)
    return windows


def _feed(document: Mapping[str, Any], feeds: tuple[str, ...]) -> str:
    feed = text(document, "feed")
    if feed not in feeds:
        raise rejected("feed", f"must be one of {', '.join(feeds)}; it is {feed[:40]!r}")
    return feed


def _whole_second(document: Mapping[str, Any], field: str) -> datetime:
    found = instant(document, field)
    if found.microsecond:
        raise rejected(field, "must be a whole second")
    return found


def _length(document: Mapping[str, Any]) -> timedelta:
    written = text(document, "length")
    match = _DURATION.fullmatch(written)
    if not match:
        raise rejected("length", f"must be a duration as hh:mm:ss; it is {written[:40]!r}")
    hours, minutes, seconds = (int(part) for part in match.groups())
    length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not length:
        raise rejected("length", "must be above zero")
    return length
