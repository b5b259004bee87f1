"""The machine's time in the units that services speak in; whoever needs another time hands in another function."""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give the time, aware."""
    return datetime.now(UTC)


def epoch_milliseconds() -> int:
    """Give whole milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def epoch_microseconds() -> int:
    """Give whole microseconds since 1970 UTC."""
    return time.time_ns() // 1_000
