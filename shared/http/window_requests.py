"""What a caller may ask of windows: the body of `POST /api/windows`, and the queries of lists."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.domain.windows.ledger_row import WINDOW_STATES
from shared.domain.windows.request import MOST_LISTED, USUALLY_LISTED, InvalidRequest, ListRequest, OpenRequest
from shared.domain.windows.window import parse_stamp
from shared.errors import RequestRejected
from shared.http.bodies import duration, instant, json_object, text


def parse_open_request(body: bytes, feeds: tuple[str, ...]) -> OpenRequest:
    """Read the body of `POST /api/windows`: feed, start (ISO 8601; no zone means UTC), and length or end.

    Raises RequestRejected that names the field and the rule.
    """
    document = json_object(body)
    feed = _feed(document, feeds)
    start = _whole_second(document, "start")
    end = _whole_second(document, "end") if "end" in document else start + _length(document)
    try:
        return OpenRequest(feed, start, end)
    except InvalidRequest as refusal:
        raise RequestRejected.of_field(refusal.field, refusal.rule) from refusal


def parse_list_request(query: Mapping[str, str], feeds: tuple[str, ...]) -> ListRequest:
    """Read the query of `GET /api/windows`: feed, state, limit and after; raises RequestRejected."""
    feed, state = query.get("feed"), query.get("state")
    if feed is not None and feed not in feeds:
        raise RequestRejected.of_field("feed", f"must be one of {', '.join(feeds)}; it is {feed[:40]!r}")
    if state is not None and state not in WINDOW_STATES:
        raise RequestRejected.of_field("state", f"must be one of {', '.join(WINDOW_STATES)}; it is {state[:40]!r}")
    return ListRequest(feed, state, parse_limit(query), _after(query))


def parse_limit(query: Mapping[str, str]) -> int:
    """Read how many windows an answer may show at most; raises RequestRejected."""
    written = query.get("limit", str(USUALLY_LISTED))
    limit = int(written) if written.isascii() and written.isdecimal() and len(written) <= _MOST_DIGITS else 0
    if not 1 <= limit <= MOST_LISTED:
        rule = f"must be a whole number from 1 to {MOST_LISTED}; it is {written[:40]!r}"
        raise RequestRejected.of_field("limit", rule)
    return limit


_MOST_DIGITS = 9


def _after(query: Mapping[str, str]) -> tuple[str, datetime] | None:
    written = query.get("after")
    if written is None:
        return None
    feed, _, start = written.rpartition("-")
    try:
        return feed, parse_stamp(start)
    except ValueError:
        rule = f"must be the id of a window, as `next` of an answer gives it; it is {written[:40]!r}"
        raise RequestRejected.of_field("after", rule) from None


def _feed(document: Mapping[str, Any], feeds: tuple[str, ...]) -> str:
    feed = text(document, "feed")
    if feed not in feeds:
        raise RequestRejected.of_field("feed", f"must be one of {', '.join(feeds)}; it is {feed[:40]!r}")
    return feed


def _whole_second(document: Mapping[str, Any], field: str) -> datetime:
    found = instant(document, field)
    if found.microsecond:
        raise RequestRejected.of_field(field, "must be a whole second")
    return found


def _length(document: Mapping[str, Any]) -> timedelta:
    length = duration(document, "length")
    if length.microseconds:
        written = text(document, "length")
        raise RequestRejected.of_field("length", f"must be whole seconds; it is {written[:40]!r}")
    if not length:
        raise RequestRejected.of_field("length", "must be above zero")
    return length
