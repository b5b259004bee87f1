"""Moments as whole microseconds since 1970 UTC, and as the RFC 3339 text the venues write."""

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_text(moment: int) -> str:
    """Write a moment with six decimals and a `Z`, as `2026-11-22T10:00:00.000000Z`."""
    return (_EPOCH + timedelta(microseconds=moment)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> int:
    """Read an RFC 3339 moment; raise ValueError where it is none or names no time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no RFC 3339 moment; write it like 2026-11-22T10:00:00Z") from error
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; end it with Z")
    return (moment - _EPOCH) // timedelta(microseconds=1)
