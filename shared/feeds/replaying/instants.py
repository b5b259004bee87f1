"""Reads times of one column, all at once: ISO 8601 in UTC, or month/day/year as in the United States."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.feeds.replaying.fields import Bools, Bytes, Ints
from shared.feeds.replaying.values import Eights, not_digits

WIDE: Final = 27
"""Bytes of a time as records have it: 2026-11-22T10:00:00.000000Z."""

_SECOND = 1_000_000
_SHORTEST, _POINT = 19, 20
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_DASH, _COLON, _T, _BLANK, _STOP, _Z, _ZERO, _NINE = 45, 58, 84, 32, 46, 90, 48, 9
_MONTH_STARTS = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MONTH_STARTS_OF_366 = np.cumsum([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_FEWEST_A_MINUTE = 8
_MOST_KEPT = 8  # blocks of which the minutes are kept
_DIGIT, _PAIR = np.uint64(0xF), np.uint64(0xFF)
_SECOND_DIGITS, _FRACTION_DIGITS = np.uint64(0x8080808000808000), np.uint64(0x0080808080808000)
_FIRST_MARKS, _SECOND_MARKS = np.uint64(0xFF0000FF), np.uint64(0xFF000000000000FF)
_FIRST, _LAST = np.uint64(_COLON | _STOP << 24), np.uint64(_STOP | _Z << 56)
_FRACTION = np.array([100_000, 10_000, 1_000, 100, 10, 1])
_US_SHAPE = r"^\d{1,2}/(?P<day>\d{1,2})/\d{4} \d{1,2}:\d{2}(?::[0-5]\d)?(?: [AaPp][Mm])?$"
_US_FORMATS = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M")


def plain_times(words_at: Callable[[Ints], Eights], starts: Ints, lengths: Ints) -> tuple[Ints, Bools]:
    """Read the times that are written as records have them, of which mostly many in a row share a minute.

    words_at: gives eight bytes from each place on. Gives microseconds since the epoch, and which were read: few or none
    where their minutes change from row to row.
    """
    day, hour = words_at(starts), words_at(starts + 8)
    changed = np.ones(len(starts), np.bool_)
    changed[1:] = (day[1:] != day[:-1]) | (hour[1:] != hour[:-1])
    heads = np.flatnonzero(changed)
    if heads.size * _FEWEST_A_MINUTE > len(starts):
        return np.zeros(len(starts), np.int64), np.zeros(len(starts), np.bool_)
    minute = np.zeros((len(heads), WIDE), np.uint8)
    minute[:, :16] = np.stack((day[heads], hour[heads]), axis=1).view(np.uint8)
    minute[:, 16:_SHORTEST] = np.frombuffer(b":00", np.uint8)
    times, good = _minutes(minute.tobytes())
    counts = np.diff(heads, append=len(starts))
    times, good = np.repeat(times, counts), np.repeat(good, counts)
    seconds, read = _seconds(words_at(starts + 16), words_at(starts + 19))
    return times + seconds, good & read & (lengths == WIDE)


@lru_cache(_MOST_KEPT)
def _minutes(content: bytes) -> tuple[Ints, Bools]:
    """Read times that end with their seconds: block after block of a busy recording has the same few minutes."""
    text = np.frombuffer(content, np.uint8).reshape(-1, WIDE)
    times, good = iso_times(text, np.full(len(text), _SHORTEST))
    return times, good & (text[:, 10] == _T)


def _seconds(first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64]) -> tuple[Ints, Bools]:
    """Read `:00.000000Z` as microseconds, given its first and its last eight bytes; says which are that."""
    good = ((not_digits(first) & _SECOND_DIGITS) | (not_digits(second) & _FRACTION_DIGITS)) == 0
    good &= ((first & _FIRST_MARKS) == _FIRST) & ((second & _SECOND_MARKS) == _LAST)
    tens, ones = (first >> np.uint64(8)) & _DIGIT, (first >> np.uint64(16)) & _DIGIT
    good &= tens < 6  # noqa: PLR2004
    pairs = (second >> np.uint64(8)) & np.uint64(0x0F0F0F0F0F0F)
    pairs = (pairs * np.uint64(10) + (pairs >> np.uint64(8))) & np.uint64(0xFF00FF00FF)
    found = (pairs & _PAIR) * np.uint64(10_000) + ((pairs >> np.uint64(16)) & _PAIR) * np.uint64(100)
    found += (pairs >> np.uint64(32)) + (tens * np.uint64(10) + ones) * np.uint64(_SECOND)
    return found.view(np.int64), good


def iso_times(text: Bytes, lengths: Ints) -> tuple[Ints, Bools]:
    """Read uint8[n, 27], each with its length, as microseconds since the epoch; says which of them are good ones.

    A good one has `T` or a blank between date and time, up to six digits behind the second, and Z or nothing; its year
    is 1000 or later.
    """
    digits = (text - _ZERO).astype(np.int64)
    good = (text[:, 4] == _DASH) & (text[:, 7] == _DASH) & (text[:, 13] == _COLON) & (text[:, 16] == _COLON)
    good &= ((text[:, 10] == _T) | (text[:, 10] == _BLANK)) & (lengths >= _SHORTEST) & (lengths <= WIDE)
    good &= (digits[:, _DIGITS] <= _NINE).all(1)
    pair = digits[:, :18] * 10 + digits[:, 1:19]
    year, month, day = pair[:, 0] * 100 + pair[:, 2], pair[:, 5], pair[:, 8]
    hour, minute, second = pair[:, 11], pair[:, 14], pair[:, 17]
    good &= (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60) & (year >= 1000)  # noqa: PLR2004
    days, within = _days(year, np.where(good, month, 1), day)
    micros, ends_well = _fractions(text, digits, lengths)
    return (days * 86_400 + hour * 3600 + minute * 60 + second) * _SECOND + micros, good & within & ends_well


def _days(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Bools]:
    """Count the days since the epoch, and say which are days of their months."""
    is_long = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    begin = np.where(is_long, _MONTH_STARTS_OF_366[month - 1], _MONTH_STARTS[month - 1])
    end = np.where(is_long, _MONTH_STARTS_OF_366[month], _MONTH_STARTS[month])
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + begin + day - 1 - 719_162
    return days, (day >= 1) & (begin + day <= end)


def _fractions(text: Bytes, digits: Ints, lengths: Ints) -> tuple[Ints, Bools]:
    """Read what stands behind the second: nothing, a point and digits, and perhaps a Z at the end."""
    last = text[np.arange(len(text)), np.clip(lengths - 1, 0, WIDE - 1)]
    ends = lengths - (last == _Z)
    places = np.arange(_POINT, _POINT + 6)
    there = places < ends[:, None]
    found = np.where(there, digits[:, _POINT : _POINT + 6], 0)
    with_point = (text[:, _SHORTEST] == _STOP) & (ends > _POINT) & (ends <= _POINT + 6)
    return found @ _FRACTION, ((ends == _SHORTEST) | with_point) & (found <= _NINE).all(1)


def us_times(texts: pa.StringArray) -> tuple[Ints, Bools]:
    """Read month/day/year, with hours of a half or a whole day, as microseconds; says which of them are good ones."""
    times, good = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.bool_)
    days = pc.struct_field(pc.extract_regex(texts, _US_SHAPE), "day").cast(pa.int64())
    for form in _US_FORMATS:
        read = pc.strptime(texts, form, "us", error_is_null=True)
        same_day = pc.fill_null(pc.equal(days, pc.day(read)), fill_value=False)  # 2/30 is read as 3/2
        found = np.asarray(same_day) & ~good
        times[found] = np.asarray(pc.fill_null(read.cast(pa.int64()), 0))[found]
        good |= found
    return times, good
