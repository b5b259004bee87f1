"""The first line of a recording: which field of a line is which column of the contract."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts import Column
from shared.errors import FeedRefused

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Header:
    """Where the columns stand.

    places: of each column of the contract the number of its field, from 0. lines: how many lines at the top are no
    records, 1 where there is a header.
    """

    places: tuple[int, ...]
    lines: int


def without_mark(line: bytes) -> bytes:
    """Give a file's first line without the mark of UTF-8; raises FeedRefused for the mark of UTF-16."""
    if line.startswith(_UTF16_MARKS):
        raise FeedRefused("it is written in UTF-16; save it as UTF-8")
    return line.removeprefix(_UTF8_MARK)


def header_of(first_line: bytes, columns: Sequence[Column]) -> Header:
    """Read the first line: names in any order and case; where it has none of them, it is a record in contract's order.

    Raises FeedRefused for names that are not those of all columns.
    """
    text = without_mark(first_line).decode("utf-8", "replace").strip("\r\n")
    found = [name.strip().lower() for name in next(csv.reader([text]), [])]
    wanted = [column.name.lower() for column in columns]
    if not set(found) & set(wanted):
        return Header(tuple(range(len(wanted))), 0)
    if missing := [column.name for column in columns if column.name.lower() not in found]:
        raise FeedRefused(f"its header lacks column {', '.join(missing)}")
    if len(found) != len(wanted):
        raise FeedRefused(f"its header has {len(found)} columns; they must be the contract's {len(wanted)}, each once")
    return Header(tuple(found.index(name) for name in wanted), 1)
