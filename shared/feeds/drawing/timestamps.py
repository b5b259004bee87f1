"""Times of drawn records: the grid of a slice, and its text."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

_PER_SECOND = 1_000_000
_TWO_DIGITS = np.frombuffer("".join(f"{number:02d}" for number in range(100)).encode(), "<u2")
_FOUR_DIGITS = np.frombuffer("".join(f"{number:04d}" for number in range(10_000)).encode(), "<u4")
_TEXT = np.dtype(
    {"names": ["second", "four", "two"], "formats": ["V20", "<u4", "<u2"], "offsets": [0, 20, 24], "itemsize": 26}
)  # 2026-11-22T10:00:00.000000


def grid(start: int, rate: float, first: int, count: int) -> np.ndarray:
    """Give the times of positions `[first, first + count)` as int64 microseconds since the epoch."""
    return start + np.floor(np.arange(first, first + count) * _PER_SECOND / rate).astype(np.int64)


def as_text(times: np.ndarray) -> np.ndarray:
    """Write ascending microseconds since the epoch as uint8[n, 26] of ISO 8601 in UTC, without the closing Z."""
    seconds = times // _PER_SECOND
    micros = times - seconds * _PER_SECOND
    text = np.empty(len(times), _TEXT)
    text["second"] = _seconds_as_text(seconds)
    text["four"] = _FOUR_DIGITS.take(micros // 100)
    text["two"] = _TWO_DIGITS.take(micros % 100)
    return text.view(np.uint8).reshape(-1, _TEXT.itemsize)


def _seconds_as_text(seconds: np.ndarray) -> np.ndarray:
    """Write each different second once: at usual rates thousands of times share it."""
    changes = np.flatnonzero(np.diff(seconds, prepend=seconds[:1] - 1))
    prefixes = "".join(map(_prefix, seconds[changes].tolist())).encode()
    return np.frombuffer(prefixes, "V20").repeat(np.diff(changes, append=len(seconds)))


def local_hours(times: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Give the hour of the day, 0 to 23, of each time at its offset from UTC in seconds."""
    hours: np.ndarray = (times // _PER_SECOND + offsets) // 3600 % 24
    return hours.astype(np.int32)


def offsets_at(start: int, zones: list[str]) -> np.ndarray:
    """Give each zone's offset from UTC in seconds at a time in microseconds since the epoch."""
    instant = datetime.fromtimestamp(start // _PER_SECOND, UTC)
    return np.array([_offset(instant, zone) for zone in zones], np.int64)


def _offset(instant: datetime, zone: str) -> int:
    offset = instant.astimezone(ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _prefix(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
