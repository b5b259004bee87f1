"""Times of drawn records as people of one time zone write them: 2026-11-27T13:44:51.123-03:00."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import numpy as np

_MINUTE = 60_000  # all times are int64 milliseconds since the epoch
_DAY = 1440 * _MINUTE
_QUARTER = 15 * _MINUTE  # since 1970 clocks have been changed at whole quarters of an hour
_EPOCH = date(1970, 1, 1)
_TEXT = np.dtype(
    {
        "names": ["date", "second", "milli", "offset"],
        "formats": ["V11", "<u8", "<u4", "V6"],
        "offsets": [0, 11, 19, 23],
        "itemsize": 29,
    }
)
_MILLIS = np.frombuffer("".join(f".{number:03d}" for number in range(1000)).encode(), "<u4")


class LocalTimes:
    """Writes instants in one time zone, with the offset that held there then; for years from 1970 on."""

    def __init__(self, zone: str) -> None:
        """Take the zone by its IANA name; raises ZoneInfoNotFoundError."""
        self._zone = ZoneInfo(zone)
        self._offset = lru_cache(1 << 16)(self._offset_of_quarter)

    def text(self, times: np.ndarray) -> np.ndarray:
        """Write milliseconds since the epoch as V29[n] of ASCII."""
        offsets = self._offsets(times)
        local = times + offsets * _MINUTE
        days = local // _DAY
        within = (local - days * _DAY).astype(np.int32)
        seconds = within // 1000
        text = np.empty(len(times), _TEXT)
        text["date"] = _written(days, _date_text)
        text["second"] = _seconds_of_day().take(seconds)
        text["milli"] = _MILLIS.take(within - seconds * 1000)
        text["offset"] = _written(offsets, _offset_text)
        return text.view(f"V{_TEXT.itemsize}")

    def days(self, times: np.ndarray) -> np.ndarray:
        """Give the local day of each instant, as days since the epoch."""
        days: np.ndarray = (times + self._offsets(times) * _MINUTE) // _DAY
        return days

    def _offsets(self, times: np.ndarray) -> np.ndarray:
        """Give each instant's offset from UTC in minutes; one for all where it is the same."""
        quarters = times // _QUARTER
        first, last = _ends(quarters)
        known = np.array([self._offset(quarter) for quarter in range(first, last + 1)], np.int64)
        return known[:1] if (known == known[0]).all() else known.take(quarters - first)

    def _offset_of_quarter(self, quarter: int) -> int:
        instant = datetime.fromtimestamp(quarter * _QUARTER // 1000, UTC).astimezone(self._zone)
        return (instant.utcoffset() or timedelta()) // timedelta(minutes=1)


def _written(values: np.ndarray, write: Callable[[int], str]) -> np.ndarray:
    """Write each value, by a table of all from the least to the greatest; one for all where it is the same."""
    first, last = _ends(values)
    table = np.array([write(value) for value in range(first, last + 1)], np.bytes_)
    texts = table.view(f"V{table.itemsize}")
    return texts if first == last else texts.take(values - first)


def _ends(values: np.ndarray) -> tuple[int, int]:
    return (int(values.min()), int(values.max())) if len(values) else (0, 0)


def _date_text(day: int) -> str:
    return f"{_EPOCH + timedelta(days=day)}T"


def _offset_text(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


@cache
def _seconds_of_day() -> np.ndarray:
    """Give the texts of all seconds of a day, as uint64[86400] of eight characters."""
    clock = (f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86_400))
    return np.frombuffer("".join(clock).encode(), "<u8")
