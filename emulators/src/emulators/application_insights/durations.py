"""Durations as Breeze has them: `days.hours:minutes:seconds.fraction`, under 1,000 days."""

import re
from datetime import timedelta
from typing import Final

_FORM: Final = re.compile(r"(?:(\d{1,3})\.)?([01]?\d|2[0-3]):([0-5]?\d):([0-5]?\d(?:\.\d{1,7})?)", re.ASCII)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds_of(text: str) -> float | None:
    """Read a duration; None where it is none."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, seconds = found.groups(default="0")
    length = timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return length / _MILLISECOND
