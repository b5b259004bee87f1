"""Checks the fields of many lines, all columns of one kind at once: which are good as they are or can be rewritten."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from shared.feeds.drawing import timestamps
from shared.feeds.replaying.fields import Bools, Bytes, Ints
from shared.feeds.replaying.instants import WIDE as INSTANT
from shared.feeds.replaying.instants import iso_times, plain_times, us_times
from shared.feeds.replaying.lines import ROOM, Cells
from shared.feeds.replaying.rules import ColumnRule
from shared.feeds.replaying.values import KEPT, WIDE, Eights, SeenValues, are_long_numbers, are_numbers, are_whole

_T, _Z = ord("T"), ord("Z")
_ANY_LENGTH = 1 << 40
_UPPER = frozenset({"maximum", "exclusiveMaximum"})


@dataclass(frozen=True, slots=True)
class FreeTexts:
    """Columns of any text: their lengths alone decide, as bytes, of which a text has no fewer than characters."""

    columns: Sequence[int]
    least: Ints
    most: Ints

    def check(self, cells: Cells) -> Bools:
        """Say which lines are good."""
        lengths = cells.lengths[:, self.columns]
        bad = (lengths < self.least) | (lengths > self.most)
        return ~bad.any(1) if bad.any() else np.ones(len(lengths), np.bool_)


@dataclass(frozen=True, slots=True)
class FewValues:
    """Columns that have few different values, each of which is checked once. rewritten: those that are no texts."""

    columns: Sequence[int]
    seen: SeenValues
    rewritten: Sequence[int]

    def check(self, cells: Cells) -> Bools:
        """Say which lines are good, and rewrite what JSON writes otherwise."""
        lengths = cells.lengths[:, self.columns]
        slots, found = self.seen.slots(cells.words(self.columns) & KEPT[np.minimum(lengths, WIDE)], lengths <= WIDE)
        for place in self.rewritten:
            literals = self.seen.literals(slots[:, place])
            np.copyto(cells.views[:, self.columns[place]], literals, where=found[:, place])
        good: Bools = found.all(1)
        return good


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
        lengths = cells.lengths[:, self.columns]
        short = np.minimum(lengths, WIDE)
        words: Eights = cells.words(self.columns) & KEPT[short]
        good = (are_whole if self.whole else are_numbers)(words, short) & (lengths <= WIDE)
        long = (lengths > WIDE) & (lengths <= 2 * WIDE)
        if not self.whole and long.any():
            second = cells.words(self.columns, WIDE)[long] & KEPT[lengths[long] - WIDE]
            good[long] = are_long_numbers(words[long], second, lengths[long])
        good &= self.plain
        if good.all():
            return np.ones(len(good), np.bool_)
        for place in np.flatnonzero(~good.all(0)).tolist():
            rows = np.flatnonzero(~good[:, place])
            slots, found = self.seen[place].slots(words[rows, place, None], lengths[rows, place, None] <= WIDE)
            known = found[:, 0]
            cells.views[rows[known], self.columns[place]] = self.seen[place].literals(slots[known, 0])
            good[rows, place] = known
        every: Bools = good.all(1)
        return every


def read_times(cells: Cells, column: int) -> tuple[Ints, Bools]:
    """Read a column of times as microseconds, say which are good, and rewrite those that records have otherwise."""
    starts, lengths = cells.starts[:, column], cells.lengths[:, column]
    wide = np.ndarray((cells.text.size - ROOM - INSTANT + 1, INSTANT), np.uint8, cells.text.data, ROOM, (1, 1))
    written = wide[np.minimum(starts, len(wide) - 1)]
    times, good = plain_times(written, lengths)
    if good.all():
        return times, good
    rest = ~good
    times[rest], good[rest] = iso_times(written[rest], lengths[rest])
    if not good.all():
        times[~good], good[~good] = us_times(cells.texts(column, ~good))
    rewritten = good & ((lengths != INSTANT) | (written[:, 10] != _T) | (written[:, -1] != _Z))
    if rewritten.any():
        cells.show(column, rewritten, _with_z(timestamps.as_text(times[rewritten])))
    return times, good


def checks_of(rules: Sequence[ColumnRule]) -> list[Callable[[Cells], Bools]]:
    """Give the checks of all columns but those of times; what a check does not call good may still be."""
    kinds = [_kind(rule) for rule in rules]
    named = {kind: [number for number, one in enumerate(kinds) if one == kind] for kind in set(kinds)}
    made = {"text": _texts, "number": _numbers, "integer": _numbers, "few": _few_values}
    return [make(rules, named[kind]) for kind, make in made.items() if kind in named]


def _kind(rule: ColumnRule) -> str:
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


def _few_values(rules: Sequence[ColumnRule], columns: Sequence[int]) -> Callable[[Cells], Bools]:
    own = [rules[number] for number in columns]
    rewritten = [place for place, rule in enumerate(own) if rule.column.kind != "string"]
    return FewValues(columns, SeenValues(own), rewritten).check


def _numbers(rules: Sequence[ColumnRule], columns: Sequence[int]) -> Callable[[Cells], Bools]:
    own = [rules[number] for number in columns]
    limits = [rule.column.limits for rule in own]
    plain = np.array([one.get("minimum", 0) <= 0 and "exclusiveMinimum" not in one for one in limits])
    whole = own[0].column.kind == "integer"
    return Numbers(columns, whole, plain, [SeenValues([rule]) for rule in own]).check


def _with_z(times: Bytes) -> Bytes:
    return np.concatenate((times, np.full((len(times), 1), _Z, np.uint8)), axis=1)
