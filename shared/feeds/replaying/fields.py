"""Cuts a block of CSV into lines and fields, all at once: where each field lies, and which lines need a closer look.

A line break always ends a line, also within quotes: so a quote that is never closed costs its own line alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

type Ints = npt.NDArray[np.int64]
type Offsets = npt.NDArray[np.int32]
type Bools = npt.NDArray[np.bool_]
type Bytes = npt.NDArray[np.uint8]

_COMMA, _BREAK, _RETURN, _QUOTE, _BACKSLASH, _BLANK, _ASCII = 44, 10, 13, 34, 92, 32, 128


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a block's lines.

    begins, ends: of each line in the block, the second without its line break. plain: the lines that have the right
    number of fields and nothing odd in them, by their numbers in the block, from 0. edges: int32[plain lines,
    2 * fields], where each field begins and ends, in turns. quoted: whether any of these fields stood in quotes. odd:
    the other lines; blank ones are in neither.
    """

    begins: Ints
    ends: Ints
    plain: Ints
    edges: Offsets
    quoted: bool
    odd: Ints


def cut(block: Bytes, count: int) -> Fields:
    """Cut a block of whole lines, each of which ends in a line break, into `count` fields a line."""
    is_break = block == _BREAK
    marks = np.flatnonzero((block == _COMMA) | is_break)
    breaks = _breaks(block, is_break, marks[count - 1 :: count])
    begins = np.concatenate(([0], breaks[:-1] + 1))
    ends = breaks - _returns(block, breaks)
    odd = _odd(block, breaks, ends)
    is_quote = block == _QUOTE
    quotes = np.flatnonzero(is_quote) if is_quote.any() else marks[:0]
    if quotes.size:
        marks = _outside(marks, quotes, breaks)
    places, whole = _rows(marks, breaks, count)
    plain = np.flatnonzero(whole & ~odd)
    if odd.any():
        places = places[~odd[whole]]
    edges = np.empty((len(places), 2 * count), np.int32)
    every = edges.reshape(-1)
    every[1::2] = places.reshape(-1)
    np.add(every[1:-1:2], 1, out=every[2::2])
    edges[:, 0], edges[:, -1] = begins[plain], ends[plain]
    quoted = False
    if quotes.size:
        plain, edges, quoted = _unquoted(block, quotes, plain, edges)
    others = np.ones(len(breaks), np.bool_)
    others[plain] = False
    return Fields(begins, ends, plain, edges, quoted, np.flatnonzero(others & (ends > begins)))


def _breaks(block: Bytes, is_break: Bools, expected: Ints) -> Ints:
    """Give the places of line breaks, which mostly are those expected: then nobody looks for them."""
    if expected.size == np.count_nonzero(is_break) and (block[expected] == _BREAK).all():
        return expected
    return np.flatnonzero(is_break)


def _rows(marks: Ints, breaks: Ints, count: int) -> tuple[Ints, Bools]:
    """Give the places where the fields of lines with `count` fields end, and say which lines these are."""
    if marks.size == count * breaks.size and np.array_equal(marks[count - 1 :: count], breaks):
        return marks.reshape(-1, count), np.ones(len(breaks), np.bool_)
    last = np.searchsorted(marks, breaks)
    whole = np.diff(last, prepend=-1) == count
    return marks[last[whole][:, None] - np.arange(count - 1, -1, -1)], whole


def _returns(block: Bytes, breaks: Ints) -> Ints:
    """Say of each line break whether a carriage return stands before it, as 1 or 0."""
    found: Ints = (block[np.maximum(breaks - 1, 0)] == _RETURN).astype(np.int64) * (breaks > 0)
    return found


def _odd(block: Bytes, breaks: Ints, ends: Ints) -> Bools:
    """Say which lines hold a control character, a backslash, or bytes that are not UTF-8."""
    odd = np.zeros(len(breaks), np.bool_)
    low = block < _BLANK
    if np.count_nonzero(low) > len(breaks) + np.count_nonzero(ends < breaks):
        places = np.flatnonzero(low & (block != _BREAK))
        lines = np.searchsorted(breaks, places)
        odd[lines[places != ends[lines]]] = True
    if (block == _BACKSLASH).any():
        odd[np.searchsorted(breaks, np.flatnonzero(block == _BACKSLASH))] = True
    if block.max() >= _ASCII and not _is_utf8(block):
        odd[np.searchsorted(breaks, np.flatnonzero(block >= _ASCII))] = True
    return odd


def _is_utf8(block: Bytes) -> bool:
    try:
        str(block.data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _outside(marks: Ints, quotes: Ints, breaks: Ints) -> Ints:
    """Give the marks that stand outside quotes: those with an even number of quotes before them in their line."""
    before = np.searchsorted(quotes, marks)
    of_line = np.searchsorted(breaks, marks)
    at_begin = np.searchsorted(quotes, np.concatenate(([0], breaks[:-1])))
    found: Ints = marks[((before - at_begin[of_line]) & 1 == 0) | (breaks[of_line] == marks)]
    return found


def _unquoted(block: Bytes, quotes: Ints, plain: Ints, edges: Offsets) -> tuple[Ints, Offsets, bool]:
    """Take off the quotes around fields; lines with quotes elsewhere are no plain ones. Says whether there were any."""
    starts, ends = edges[:, ::2], edges[:, 1::2]
    inside = np.searchsorted(quotes, ends) - np.searchsorted(quotes, starts)
    wrapped = (inside == 2) & (ends - starts > 1) & (block[starts] == _QUOTE) & (block[ends - 1] == _QUOTE)  # noqa: PLR2004
    good = (wrapped | (inside == 0)).all(1)
    starts += wrapped
    ends -= wrapped
    return plain[good], edges[good], bool(wrapped[good].any())
