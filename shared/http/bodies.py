"""The bodies of requests: JSON objects of bounded size, whose fields are read one by one with an error for each."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.domain.duration import read_duration
from shared.domain.windows.window import EARLIEST, LATEST, TIME_RULE
from shared.errors import RejectionReason, RequestRejected

MAX_BODY: Final = 64 * 1024
_EXCERPT: Final = 40


def json_object(body: bytes, *, too_large: RejectionReason = "invalid") -> Mapping[str, Any]:
    """Read a body that is one JSON object of at most 64 KiB; raises RequestRejected.

    too_large: the reason by which a longer one is rejected.
    """
    if len(body) > MAX_BODY:
        message = f"The body must be at most 64 KiB; it is {len(body)} bytes."
        raise RequestRejected(too_large, "too_large", message)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestRejected("invalid", "not_json", "The body must be JSON.") from error
    if not isinstance(document, dict):
        message = f"The body must be a JSON object; it is {_kind(document)}."
        raise RequestRejected("invalid", "not_an_object", message)
    return document


def known_fields(document: Mapping[str, Any], fields: Collection[str]) -> None:
    """Refuse the first field that nobody would read; raises RequestRejected."""
    for field in document:
        if field not in fields:
            rule = f"is no field of this request; there are {', '.join(fields)}"
            raise RequestRejected.of_field(field[:_EXCERPT], rule, code="unknown_field")


def text(document: Mapping[str, Any], field: str) -> str:
    """Read a string; raises RequestRejected."""
    if field not in document:
        raise RequestRejected.of_field(field, "is missing")
    value = document[field]
    if not isinstance(value, str):
        raise RequestRejected.of_field(field, f"must be a string; it is {_kind(value)}")
    return value


def instant(document: Mapping[str, Any], field: str) -> datetime:
    """Read an ISO 8601 time in UTC, which is also what no zone means; raises RequestRejected.

    It lies between 2000 and 2100: another year is mistyped.
    """
    written = text(document, field)
    try:
        found = datetime.fromisoformat(written)
        found = found.replace(tzinfo=found.tzinfo or UTC)
    except ValueError as error:
        raise RequestRejected.of_field(field, f"must be an ISO 8601 time; it is {written[:_EXCERPT]!r}") from error
    if not EARLIEST <= found <= LATEST:
        raise RequestRejected.of_field(field, f"{TIME_RULE}; it is {written[:_EXCERPT]!r}")
    return found.astimezone(UTC)


def duration(document: Mapping[str, Any], field: str) -> timedelta:
    """Read `hh:mm:ss`; raises RequestRejected."""
    written = text(document, field)
    try:
        return read_duration(written)
    except ValueError as error:
        raise RequestRejected.of_field(field, f"{error}; it is {written[:_EXCERPT]!r}") from None


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "an object")


_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
}
