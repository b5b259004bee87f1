"""The lines of one slice of a replay, and when each is due."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from shared.domain.windows.plan import Plan
from shared.domain.windows.replay import ReplayPlan
from shared.domain.windows.window import Slice, microseconds
from shared.feeds.records import Records
from shared.feeds.replaying.blocks import LineBlock, Recording, TimeMark
from shared.feeds.replaying.fields import Ints
from shared.feeds.replaying.header import without_mark
from shared.feeds.replaying.reader import LineReader, ReadLines, RefusedLine

_TOO_LONG = "it is longer than a line may be"


@dataclass(frozen=True, slots=True)
class SliceLines:
    """Which lines are a slice's: those due in `[begin, end)`, microseconds after the window's start.

    first: the line of the file with which the window begins. By rate `line` and `stop` are the slice's lines, by their
    numbers in the file; by the file's own times nobody knows them before.
    """

    replay: ReplayPlan
    rate: float
    first: int
    begin: int
    end: int
    line: int
    stop: int | None

    @property
    def lines(self) -> int | None:
        """Count the lines of the slice, where that is known."""
        return None if self.stop is None else self.stop - self.line


def bounds_of(plan: Plan, replay: ReplayPlan, part: Slice, first: int) -> SliceLines:
    """Say which lines are a slice's; `first` is the first one of the file that is replayed."""
    begin = microseconds(part.start) - microseconds(plan.window.start)
    end = microseconds(part.end) - microseconds(plan.window.start)
    if replay.speed:
        return SliceLines(replay, plan.rate, first, begin, min(end, replay.end), first, None)
    before, until = replay.lines_before(begin, plan.rate), replay.lines_before(end, plan.rate)
    return SliceLines(replay, plan.rate, first, begin, end, first + before, first + until)


@dataclass(frozen=True, slots=True)
class TimedLines:
    """Some lines of a slice, refused ones among them. numbers: of each in the file. due: when each is due, ascending,
    in microseconds after the window's start.
    """

    read: ReadLines
    numbers: Ints
    due: np.ndarray

    def __len__(self) -> int:
        """Count the lines."""
        return len(self.numbers)

    def due_by(self, elapsed: float) -> int:
        """Count the lines that are due so many microseconds after the window's start."""
        return int(np.searchsorted(self.due, elapsed, side="right"))

    def number_of(self, index: int) -> int:
        """Give the number of one of the lines in its file."""
        return int(self.numbers[index])

    def between(self, start: int, stop: int) -> tuple[Records, Sequence[RefusedLine]]:
        """Give the records and the refused lines among the lines `[start, stop)`."""
        low, high = self.numbers[start], self.numbers[stop - 1] + 1
        begin, end = np.searchsorted(self.read.numbers, (low, high)).tolist()
        return self.read.records.slice(begin, end), [one for one in self.read.refused if low <= one.number < high]


def first_time(file: Recording, reader: LineReader, first: int) -> int:
    """Give the own time of the first record from that line on, in microseconds; 0 where there is none."""
    for block in file.blocks(first):
        times = read_block(reader, block).times
        if len(times):
            return int(times[0])
    return 0


def timed_blocks(file: Recording, reader: LineReader, bounds: SliceLines, base: int, line: int) -> Iterator[TimedLines]:
    """Give the lines of a slice from that line on, block by block. base: the own time of the window's first record."""
    if bounds.stop is None:
        yield from _by_own_times(file, reader, bounds, base, line)
        return
    for block in file.blocks(max(bounds.line, line)):
        if block.first >= bounds.stop:
            return
        read = read_block(reader, _until(block, bounds.stop))
        numbers = _numbers(read)
        due = (bounds.replay.lead + (numbers - bounds.first + 1) / bounds.rate) * 1_000_000
        if len(numbers):
            yield TimedLines(read, numbers, due)


def _by_own_times(
    file: Recording, reader: LineReader, bounds: SliceLines, base: int, line: int
) -> Iterator[TimedLines]:
    """Take the lines by their own times; one that is earlier than a line before it is due with that one.

    What an earlier slice noted of the file spares this one the lines that are due before it begins.
    """

    def due_of(own: Ints) -> np.ndarray:
        due: np.ndarray = (own - base) / bounds.replay.speed + bounds.replay.lead * 1_000_000
        return due

    marks = file.times(bounds.first)
    over = int(np.count_nonzero(due_of(np.array([mark.latest for mark in marks], np.int64)) < bounds.begin))
    begin = marks[over - 1] if over else TimeMark(bounds.first, base)
    latest = begin.latest
    for block in file.blocks(begin.line):
        read = read_block(reader, block)
        numbers = _numbers(read)
        if not len(numbers):
            continue
        own = np.full(len(numbers), latest)
        own[np.searchsorted(numbers, read.numbers)] = np.maximum(read.times, latest)
        own = np.maximum.accumulate(own)
        latest = int(own[-1])
        file.note_time(bounds.first, TimeMark(block.after, latest))
        due = due_of(own)
        mine = (due >= bounds.begin) & (due < bounds.end) & (numbers >= line)
        if mine.any():
            yield TimedLines(read, numbers[mine], due[mine])
        if due[-1] >= bounds.end:
            return


def read_block(reader: LineReader, block: LineBlock) -> ReadLines:
    """Read a block; one that is a cut line is refused whole."""
    if block.cut:
        return ReadLines.none_but(RefusedLine(block.first, _TOO_LONG, block.content.removesuffix(b"\n")))
    return reader.read(without_mark(block.content) if block.first == 1 else block.content, block.first)


def _until(block: LineBlock, stop: int) -> LineBlock:
    """Leave out the lines of a block from that one on."""
    if block.after <= stop:
        return block
    end = 0
    for _ in range(stop - block.first):
        end = block.content.index(b"\n", end) + 1
    return LineBlock(block.first, block.content[:end], block.cut)


def _numbers(read: ReadLines) -> Ints:
    """Give the numbers of all lines, records and refused ones, in order."""
    refused = np.array([one.number for one in read.refused], np.int64)
    return np.union1d(read.numbers, refused) if len(refused) else read.numbers
