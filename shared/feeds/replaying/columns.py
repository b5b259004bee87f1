"""Checks the fields of many lines, all columns of one kind at once: which are good as they are or can be rewritten."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from shared.feeds.drawing import timestamps
from shared.feeds.replaying.fields import Bools, Bytes, Ints
from shared.feeds.replaying.instants import WIDE as INSTANT
from shared.feeds.replaying.instants import iso_times, plain_times, us_times
from shared.feeds.replaying.lines import Cells
from shared.feeds.replaying.rules import ColumnRule
from shared.feeds.replaying.values import KEPT, WIDE, Eights, SeenValues, are_long_numbers, are_numbers, are_whole

_T, _Z = ord("T"), ord("Z")
_ANY_LENGTH = 1 << 40
_BITS = 10
_UPPER = frozenset({"maximum", "exclusiveMaximum"})


@dataclass(frozen=True, slots=True)
class FreeTexts:
    """Columns of any text: their lengths alone decide, as bytes, of which a text has no fewer than characters."""

    columns: Sequence[int]
    least: Ints
    most: Ints

    def check(self, cells: Cells) -> Bools:
        """Say which lines are good."""
        lengths = cells.lengths(self.columns)
        bad = (lengths < self.least[:, None]) | (lengths > self.most[:, None])
        return ~bad.any(0)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Columns of numbers, or of whole ones, that have no upper limit; what is odd is looked up in `seen`.

    plain: whether every number without a sign is large enough, by column.
    """

    columns: Sequence[int]
    whole: bool
    plain: Bools
    seen: Sequence[SeenValues]

    def check(self, cells: Cells) -> Bools:
        """Say which lines are good, and rewrite what JSON writes otherwise."""
        lengths, words = cells.lengths(self.columns), cells.words(self.columns)
        good = (are_whole if self.whole else are_numbers)(words, np.minimum(lengths, WIDE)) & (lengths <= WIDE)
        if not self.whole and (lengths > WIDE).any():
            self._look_at_long(cells, lengths, good)
        good &= self.plain[:, None]
        for place in np.flatnonzero(~good.all(1)).tolist():
            rows, piece = np.flatnonzero(~good[place]), cells.pieces[self.columns[place]]
            slots, known = self.seen[place].find(cells.rows[rows, piece])
            cells.rows[rows[known], piece] = self.seen[place].literals(slots[known])
            good[place, rows] = known
        every: Bools = good.all(0)
        return every

    def _look_at_long(self, cells: Cells, lengths: Ints, good: Bools) -> None:
        place, line = np.nonzero((lengths > WIDE) & (lengths <= 2 * WIDE))
        sizes, starts = lengths[place, line], cells.edges[line, 2 * np.array(self.columns)[place]]
        second: Eights = cells.words_at(starts + WIDE) & KEPT[sizes - WIDE]
        good[place, line] = are_long_numbers(cells.words_at(starts), second, sizes)


def read_times(cells: Cells, column: int) -> tuple[Ints, Bools]:
    """Read a column of times as microseconds, say which are good, and rewrite those that records have otherwise."""
    starts, lengths = cells.edges[:, 2 * column].astype(np.int64), cells.lengths([column])[0]
    times, good = plain_times(cells.words_at, starts, lengths)
    if good.all():
        return times, good
    rest = np.flatnonzero(~good)
    wide = np.ndarray((cells.text.size - INSTANT + 1, INSTANT), np.uint8, cells.text.data, 0, (1, 1))
    written = wide[starts[rest]]
    times[rest], good[rest] = iso_times(written, lengths[rest])
    otherwise = (lengths[rest] != INSTANT) | (written[:, 10] != _T) | (written[:, -1] != _Z)
    if not good.all():
        others = ~good
        times[others], good[others] = us_times(cells.texts(column, others))
    rewritten = np.zeros(len(good), np.bool_)
    rewritten[rest] = otherwise & good[rest]
    if rewritten.any():
        cells.show(column, rewritten, _with_z(timestamps.as_text(times[rewritten])))
    return times, good


def checks_of(rules: Sequence[ColumnRule]) -> list[Callable[[Cells], Bools]]:
    """Give the checks of the columns that are neither times nor of few values.

    What a check does not call good may still be.
    """
    kinds = list(map(kind_of, rules))
    named = {kind: [number for number, one in enumerate(kinds) if one == kind] for kind in set(kinds)}
    made = {"text": _texts, "number": _numbers, "integer": _numbers}
    return [make(rules, named[kind]) for kind, make in made.items() if kind in named]


def kind_of(rule: ColumnRule) -> str:
    """Say how a column is checked."""
    match rule.column.kind:
        case "string" if not {"pattern", "enum"} & rule.column.limits.keys():
            return "text"
        case "number" | "integer" as kind if not _UPPER & rule.column.limits.keys():
            return kind
        case "date-time":
            return "time"
        case _:
            return "few"


def _texts(rules: Sequence[ColumnRule], columns: Sequence[int]) -> Callable[[Cells], Bools]:
    limits = [rules[number].column.limits for number in columns]
    least = np.array([one.get("minLength", 0) for one in limits])
    return FreeTexts(columns, least, np.array([one.get("maxLength", _ANY_LENGTH) for one in limits])).check


def _numbers(rules: Sequence[ColumnRule], columns: Sequence[int]) -> Callable[[Cells], Bools]:
    own = [rules[number] for number in columns]
    limits = [rule.column.limits for rule in own]
    plain = np.array([one.get("minimum", 0) <= 0 and "exclusiveMinimum" not in one for one in limits])
    whole = own[0].column.kind == "integer"
    return Numbers(columns, whole, plain, [SeenValues(partial(_literal, rule), _BITS) for rule in own]).check


def _literal(rule: ColumnRule, text: str) -> bytes:
    return rule.read(text).encode()


def _with_z(times: Bytes) -> Bytes:
    return np.concatenate((times, np.full((len(times), 1), _Z, np.uint8)), axis=1)
