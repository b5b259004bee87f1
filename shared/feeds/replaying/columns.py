"""Reads one column's fields of many lines: which are good as they are or can be rewritten, at once."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shared.feeds.drawing import timestamps
from shared.feeds.replaying.fields import Bools, Bytes, Ints
from shared.feeds.replaying.instants import WIDE as INSTANT
from shared.feeds.replaying.instants import iso_times, us_times
from shared.feeds.replaying.lines import Views, texts_of
from shared.feeds.replaying.rules import ColumnRule
from shared.feeds.replaying.values import KEPT, WIDE, Eights, SeenValues, are_long_numbers, are_numbers, are_whole

_NOTHING: Bytes = np.zeros(0, np.uint8)
_T, _Z = ord("T"), ord("Z")


@dataclass(slots=True)
class Checked:
    """A column of many lines: the views of its JSON, which of them are good, and for a time column the times."""

    views: Views
    good: Bools
    more: Bytes = field(default_factory=lambda: _NOTHING)
    times: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


class ColumnReader:
    """Reads fields by their column's rule; one that it does not call good may still be."""

    def __init__(self, rule: ColumnRule, number: int) -> None:
        """Prepare for the column of that number in its contract."""
        self._limits, self._kind, self._number = rule.column.limits, rule.column.kind, number
        self._seen = SeenValues(rule)

    def read(self, text: Bytes, starts: Ints, lengths: Ints) -> Checked:
        """Read the fields that begin there in `text` and are so long."""
        views = Views(text, starts, lengths)
        match self._kind:
            case "string" if not {"pattern", "enum"} & self._limits.keys():
                return Checked(views, self._is_fitting(lengths))
            case "date-time":
                return self._times(text, views)
            case "number" | "integer" if not {"maximum", "exclusiveMaximum"} & self._limits.keys():
                return self._numbers(text, views)
            case _:
                return self._values(views, np.zeros(len(lengths), np.bool_))

    def _is_fitting(self, lengths: Ints) -> Bools:
        """Say which texts have as many bytes as they may have characters."""
        most = self._limits.get("maxLength")
        fitting: Bools = lengths >= self._limits.get("minLength", 0)
        return fitting if most is None else fitting & (lengths <= most)

    def _values(self, views: Views, good: Bools) -> Checked:
        """Look up what is not good yet among the column's values that were seen before."""
        short = np.minimum(views.lengths, WIDE)
        words = views.words() & KEPT[short]
        literals, found = self._seen.literals(words, (views.lengths <= WIDE) & ~good)
        views.views[found] = literals[found]
        return Checked(views, good | found)

    def _numbers(self, text: Bytes, views: Views) -> Checked:
        short = np.minimum(views.lengths, WIDE)
        words = views.words() & KEPT[short]
        are_good = are_whole if self._kind == "integer" else are_numbers
        good = are_good(words, short) & (views.lengths <= WIDE) & self._is_at_least_zero()
        if self._kind == "number" and (long := (views.lengths > WIDE) & (views.lengths <= 2 * WIDE)).any():
            good[long] = _long_numbers(text, views, long) & self._is_at_least_zero()
        return Checked(views, good) if good.all() else self._values(views, good)

    def _is_at_least_zero(self) -> bool:
        """Say whether every number without a sign is large enough."""
        return self._limits.get("minimum", 0) <= 0 and "exclusiveMinimum" not in self._limits

    def _times(self, text: Bytes, views: Views) -> Checked:
        wide = np.ndarray((text.size - INSTANT + 1, INSTANT), np.uint8, text.data, strides=(1, 1))
        written = wide[np.minimum(views.starts, text.size - INSTANT)]
        times, good = iso_times(written, views.lengths)
        if not good.all():
            times[~good], good[~good] = us_times(texts_of(_some(views, ~good), text))
        rewritten = good & ((views.lengths != INSTANT) | (written[:, 10] != _T) | (written[:, -1] != _Z))
        if not rewritten.any():
            return Checked(views, good, times=times)
        texts = _with_z(timestamps.as_text(times[rewritten]))
        views.show(rewritten, texts, self._number)
        return Checked(views, good, texts.reshape(-1), times)


def _some(views: Views, where: Bools) -> Views:
    return Views(views.text, views.starts[where], views.lengths[where])


def _long_numbers(text: Bytes, views: Views, long: Bools) -> Bools:
    eights: np.ndarray[Any, np.dtype[np.uint64]] = np.ndarray(text.size - WIDE + 1, "<u8", text.data, strides=(1,))
    starts, lengths = views.starts[long], views.lengths[long]
    second: Eights = eights[starts + WIDE] & KEPT[lengths - WIDE]
    return are_long_numbers(eights[starts], second, lengths)


def _with_z(times: Bytes) -> Bytes:
    return np.concatenate((times, np.full((len(times), 1), _Z, np.uint8)), axis=1)
