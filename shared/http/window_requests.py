"""What a caller may ask of windows: the body of `POST /api/windows`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.domain.duration import read_duration
from shared.domain.windows.request import InvalidRequest, OpenRequest
from shared.errors import RequestRejected
from shared.http.bodies import instant, json_object, text


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
    written = text(document, "length")
    try:
        length = read_duration(written)
    except ValueError as error:
        raise RequestRejected.of_field("length", f"{error}; it is {written[:40]!r}") from None
    if length.microseconds:
        raise RequestRejected.of_field("length", f"must be whole seconds; it is {written[:40]!r}")
    if not length:
        raise RequestRejected.of_field("length", "must be above zero")
    return length
