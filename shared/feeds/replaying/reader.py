"""Reads blocks of a recording's lines as records of a stream: most lines all at once, odd ones one by one."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from shared.contracts import Contract
from shared.domain.windows.window import microseconds
from shared.feeds.records import Records
from shared.feeds.replaying.columns import checks_of, read_times
from shared.feeds.replaying.fields import Bools, Bytes, Fields, Ints, cut
from shared.feeds.replaying.header import Header
from shared.feeds.replaying.lines import ROOM, Cells, LineWriter, in_order
from shared.feeds.replaying.memory import keep_freed_memory
from shared.feeds.replaying.rules import BadField, ColumnRule
from shared.feeds.replaying.spans import make_spans

LONGEST = csv.field_size_limit()
"""Bytes of a line: 131,072."""

_ROOM = b"\0" * ROOM


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is no record: its number in the file, from 1, why, and its bytes without the line break."""

    number: int
    reason: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ReadLines:
    """What a block's lines are: `records` with the number of each one's line and its own time, and the refused lines.

    numbers: int64, ascending, in the file, from 1. times: int64, microseconds since the epoch.
    """

    records: Records
    numbers: Ints
    times: Ints
    refused: Sequence[RefusedLine] = ()

    @classmethod
    def none_but(cls, refused: RefusedLine) -> Self:
        """Give what a block is that is one line, and that no record."""
        nothing = np.empty(0, np.int64)
        return cls(Records(pa.array([], pa.binary()), _NO_KEYS), nothing, nothing, [refused])


@dataclass(frozen=True, slots=True)
class _Made:
    """Records of some lines, before they are put in order."""

    lines: pa.BinaryArray
    keys: pa.DictionaryArray
    numbers: Ints
    times: Ints


_NO_KEYS = pa.nulls(0, pa.string()).dictionary_encode()
_NOTHING = _Made(pa.nulls(0, pa.binary()), _NO_KEYS, np.empty(0, np.int64), np.empty(0, np.int64))


class LineReader:
    """Reads lines of one recording; for one thread at a time.

    header: where its columns stand. time: the column of a record's own time. blank_key: the partition key of a record
    that has none.
    """

    def __init__(self, contract: Contract, header: Header, time: str, blank_key: str) -> None:
        """Prepare the columns' rules."""
        keep_freed_memory()
        self._rules = [ColumnRule(column) for column in contract.columns]
        self._checks, self._spans = checks_of(self._rules), make_spans(self._rules)
        spans = [span.columns for span in self._spans]
        self._writer = LineWriter(contract.columns, spans, [span.texts for span in self._spans])
        self._instants = [number for number, column in enumerate(contract.columns) if column.kind == "date-time"]
        self._is_in_order = header.places == tuple(range(len(self._rules)))
        self._header = header
        names = [column.name for column in contract.columns]
        self._key, self._time = names.index(contract.partition_key), names.index(time)
        self._blank_key = blank_key

    def read(self, block: bytes, first: int) -> ReadLines:
        """Read whole lines, the first of which has that number in its file; each ends in a line break."""
        text = np.frombuffer(block + _ROOM, np.uint8)
        fields = cut(text[:-ROOM], len(self._rules))
        quick, suspect = self._at_once(text, fields, first)
        if not len(fields.odd) and not len(suspect):
            return _together(quick, _NOTHING, [], self._blank_key)
        odd = np.union1d(fields.odd, suspect).tolist()
        slow, refused = self._one_by_one(block, fields, odd, first)
        return _together(quick, slow, refused, self._blank_key)

    def _at_once(self, text: Bytes, fields: Fields, first: int) -> tuple[_Made, Ints]:
        """Make the records of the plain lines; gives the numbers in the block of those that need a closer look."""
        if not len(fields.plain):
            return _NOTHING, fields.plain
        edges = fields.edges
        if fields.quoted or not self._is_in_order:
            text, edges = in_order(text, edges, self._header.places)
        cells = self._writer.cells(text, edges)
        good = np.logical_and.reduce([check(cells) for check in self._checks])
        slots = [span.check(cells) for span in self._spans]
        for _, found in slots:
            good &= found
        times = good
        for column in self._instants:
            found_times, read = read_times(cells, column)
            good &= read
            times = found_times if column == self._time else times
        lines, numbers = self._writer.lines(cells), fields.plain + first
        keys = self._keys(cells, [each for each, _ in slots], good)
        if good.all():
            return _Made(lines, keys, numbers, times), fields.plain[:0]
        return _Made(lines.filter(pa.array(good)), keys, numbers[good], times[good]), fields.plain[~good]

    def _keys(self, cells: Cells, slots: Sequence[Ints], good: Bools) -> pa.DictionaryArray:
        """Give the partition keys of the good lines."""
        for span, own in zip(self._spans, slots, strict=True):
            if self._key in span.columns:
                return span.column(self._key, own if good.all() else own[good])
        return cells.texts(self._key, good).dictionary_encode()

    def _one_by_one(
        self, block: bytes, fields: Fields, odd: Sequence[int], first: int
    ) -> tuple[_Made, Sequence[RefusedLine]]:
        made: list[tuple[str, str, int, int]] = []
        refused = []
        for line in odd:
            content = block[fields.begins[line] : fields.ends[line]]
            try:
                made.append((*self._record(content), first + line))
            except BadField as problem:
                refused.append(RefusedLine(first + line, str(problem), content))
        lines, keys, times, numbers = zip(*made, strict=True) if made else ((), (), (), ())
        array = pa.array([line.encode() for line in lines], pa.binary())
        return _Made(
            array,
            pa.array(keys, pa.string()).dictionary_encode(),
            np.array(numbers, np.int64),
            np.array(times, np.int64),
        ), refused

    def _record(self, content: bytes) -> tuple[str, str, int]:
        """Read one line exactly: its JSON, its partition key and its own time; raises BadField."""
        given = _fields_of(content)
        if len(given) != len(self._rules):
            raise BadField(f"it has {len(given)} field{'s' * (len(given) != 1)}, not {len(self._rules)}")
        texts = [given[place] for place in self._header.places]
        pairs = [f'"{rule.column.name}":{rule.read(text)}' for rule, text in zip(self._rules, texts, strict=True)]
        instant = self._rules[self._time].instant(texts[self._time])
        return "{" + ",".join(pairs) + "}\n", texts[self._key], microseconds(instant)


def _fields_of(content: bytes) -> list[str]:
    """Split a line as Python's csv module does; raises BadField where that can't, or the text is not UTF-8."""
    if len(content) > LONGEST:
        raise BadField(f"it is longer than {LONGEST} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadField(f"it is not UTF-8: byte {error.start + 1} is 0x{content[error.start]:02X}") from None
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise BadField("its quotes do not match: a field's quotes must close on its line") from None


def _together(quick: _Made, slow: _Made, refused: Sequence[RefusedLine], blank_key: str) -> ReadLines:
    """Put records in the order of their lines."""
    lines, keys, numbers, times = quick.lines, quick.keys, quick.numbers, quick.times
    if len(slow.lines):
        numbers = np.concatenate((numbers, slow.numbers))
        order = np.argsort(numbers)
        decoded = (keys.dictionary_decode(), slow.keys.dictionary_decode())
        lines, texts = (pa.concat_arrays(pair).take(pa.array(order)) for pair in ((lines, slow.lines), decoded))
        keys = texts.dictionary_encode()
        numbers, times = numbers[order], np.concatenate((times, slow.times))[order]
    return ReadLines(Records(lines, _named(keys, blank_key)), numbers, times, refused)


def _named(keys: pa.DictionaryArray, blank_key: str) -> pa.DictionaryArray:
    names = [name or blank_key for name in keys.dictionary.to_pylist()]
    if len(set(names)) == len(names):
        return pa.DictionaryArray.from_arrays(keys.indices, pa.array(names, pa.string()))
    return pa.array([names[code] for code in keys.indices.to_pylist()], pa.string()).dictionary_encode()
