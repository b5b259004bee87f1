"""Durations as people write them in settings, requests and job parameters: `hh:mm:ss`."""

import re
from datetime import timedelta

_WRITTEN = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?", re.ASCII)


def read_duration(text: str) -> timedelta:
    """Read `hh:mm:ss`, hours past 24 and a fraction of the second allowed; raises ValueError with the rule."""
    match = _WRITTEN.fullmatch(text)
    if not match:
        raise ValueError("must be a duration as hh:mm:ss, for example 00:05:00")
    hours, minutes, seconds, fraction = match.groups()
    microseconds = int((fraction or "0").ljust(6, "0"))
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=microseconds)


def format_duration(length: timedelta) -> str:
    """Write `hh:mm:ss`; a fraction of the second is cut off."""
    seconds = int(length.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
