"""Neighbouring columns of few different values: looked up together, with the commas and the names around them."""

import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa

from shared.feeds.replaying.columns import kind_of
from shared.feeds.replaying.fields import Bools, Ints
from shared.feeds.replaying.lines import Cells, names_around
from shared.feeds.replaying.rules import BadField, ColumnRule
from shared.feeds.replaying.values import SeenValues

_BITS = 13
_UNKNOWN = -1
_MOST_KEPT = 1 << 12
_MOST_GROWN = 20  # bytes of a field of at most 12, as JSON


def spans_of(rules: Sequence[ColumnRule]) -> list[range]:
    """Give the runs of columns that have few different values."""
    spans: list[range] = []
    for number in (number for number, rule in enumerate(rules) if kind_of(rule) == "few"):
        begin = spans.pop().start if spans and spans[-1].stop == number else number
        spans.append(range(begin, number + 1))
    return spans


class ColumnSpan:
    """A span of columns, and what was seen of it. For one reader; not for several threads at once."""

    def __init__(self, rules: Sequence[ColumnRule], columns: range, piece: int, buffer: int) -> None:
        """Prepare the rules. piece: which one of a line's it is. buffer: the number of `texts` among those of views."""
        self.columns, self.piece = columns, piece
        self._names = names_around([rule.column for rule in rules])[columns.start : columns.stop + 1]
        self._edges = (columns.start > 0, columns.stop < len(rules))
        self._read = [lru_cache(_MOST_KEPT)(rules[column].read) for column in columns]
        self._seen = SeenValues(self._json, _BITS, buffer, len(b"".join(self._names)) + _MOST_GROWN * len(columns))
        self.texts = self._seen.texts
        self._codes = np.full(self._seen.size, _UNKNOWN, np.int32)
        self._fields_seen: dict[str, int] = {}

    def check(self, cells: Cells) -> tuple[Ints, Bools]:
        """Say which lines are good, and write the names and values of the span; gives the slots of what was seen."""
        slots, found = self._seen.find(cells.rows[:, self.piece])
        cells.gaps[self.piece] = self._seen.literals(slots)
        return slots, found

    def column(self, number: int, slots: Ints) -> pa.DictionaryArray:
        """Give one of its columns, always the same, of lines that were found."""
        codes = self._codes[slots]
        if (codes == _UNKNOWN).any():
            self._learn(number - self.columns.start, np.unique(slots[codes == _UNKNOWN]).tolist())
            codes = self._codes[slots]
        counts = np.bincount(codes, minlength=len(self._fields_seen))
        if not counts.all():
            codes = (np.cumsum(counts > 0) - 1).astype(np.int32)[codes]
        names = [name for name, count in zip(self._fields_seen, counts.tolist(), strict=True) if count]
        return pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string()))

    def _learn(self, place: int, slots: Sequence[int]) -> None:
        for slot in slots:
            field = self._fields(self._seen.value(slot))[place]
            self._codes[slot] = self._fields_seen.setdefault(field, len(self._fields_seen))

    def _json(self, text: str) -> bytes:
        fields = self._fields(text)
        if len(fields) != len(self.columns):
            raise BadField("its fields are not so many")
        literals = [_bare(read(field)) for read, field in zip(self._read, fields, strict=True)]
        return b"".join((self._names[0], *itertools.chain(*zip(literals, self._names[1:], strict=True))))

    def _fields(self, text: str) -> list[str]:
        before, behind = self._edges
        fields = text.split(",")
        return fields[before : len(fields) - behind]


def make_spans(rules: Sequence[ColumnRule]) -> list[ColumnSpan]:
    """Make the spans: a gap of a line stands before each of its fields that is part of no span."""
    spans = spans_of(rules)
    joined = itertools.accumulate(map(len, spans))
    return [
        ColumnSpan(rules, span, 2 * (span.stop - before), 1 + number)
        for number, (span, before) in enumerate(zip(spans, joined, strict=True))
    ]


def _bare(literal: str) -> bytes:
    """Give JSON without the quotes around a text, which stand in the names."""
    return (literal[1:-1] if literal.startswith('"') else literal).encode()
