"""How a time is written for people and for other programs."""

from datetime import UTC, datetime
from typing import Literal


def utc_text(at: datetime, to: Literal["auto", "seconds", "microseconds"] = "auto") -> str:
    """Write a time in UTC as ISO 8601 with `Z`; `auto`: to the microsecond where it has any, else to the second.

    Raises ValueError for a time without a zone, which could be any.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC).isoformat(timespec=to).replace("+00:00", "Z")
