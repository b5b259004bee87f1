"""The bodies of requests: JSON objects of bounded size, whose fields are read one by one with an error for each."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.errors import RequestRejected

MAX_BODY: Final = 64 * 1024
_EXCERPT: Final = 40


def rejected(field: str | None, rule: str, *, status: int = 400, code: str = "invalid_field") -> RequestRejected:
    """Make the error for one field, worded `<field> <rule>.`."""
    return RequestRejected(status, code, f"{field or 'The body'} {rule}.", field)


def json_object(body: bytes, *, too_large: int = 400) -> Mapping[str, Any]:
    """Read a body that is one JSON object of at most 64 KiB; raises RequestRejected (400).

    too_large: the status for a longer one.
    """
    if len(body) > MAX_BODY:
        raise rejected(None, f"must be at most 64 KiB; it is {len(body)} bytes", status=too_large, code="too_large")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise rejected(None, "must be JSON", code="not_json") from error
    if not isinstance(document, dict):
        raise rejected(None, f"must be a JSON object; it is {_kind(document)}", code="not_an_object")
    return document


def known_fields(document: Mapping[str, Any], fields: Collection[str]) -> None:
    """Refuse the first field that nobody would read; raises RequestRejected (400)."""
    for field in document:
        if field not in fields:
            rule = f"is no field of this request; there are {', '.join(fields)}"
            raise rejected(field[:_EXCERPT], rule, code="unknown_field")


def text(document: Mapping[str, Any], field: str) -> str:
    """Read a string; raises RequestRejected (400)."""
    if field not in document:
        raise rejected(field, "is missing")
    value = document[field]
    if not isinstance(value, str):
        raise rejected(field, f"must be a string; it is {_kind(value)}")
    return value


def instant(document: Mapping[str, Any], field: str) -> datetime:
    """Read an ISO 8601 time in UTC, which is also what no zone means; raises RequestRejected (400)."""
    written = text(document, field)
    try:
        found = datetime.fromisoformat(written)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise rejected(field, f"must be an ISO 8601 time; it is {written[:_EXCERPT]!r}") from error


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
