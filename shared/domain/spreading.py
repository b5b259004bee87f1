"""How a stream's records are spread over several hubs: block by block of a slice, in turn.

Which hub a record goes to follows from its place in its slice alone, so that every try at a slice sends the same
records to the same hubs, however the records came in. Each hub is given its blocks one after the other: the events of
a key lie in order in each hub, and in no order between hubs.
"""

import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

BLOCK: Final = 1_000
"""Records of a block: about as many as fit into one batch, and so few that a slice of any size is spread."""


class Block(NamedTuple):
    """The block of that number, from 0, and which of the records at hand are of it: those in `[start, stop)`."""

    number: int
    start: int
    stop: int


def blocks(before: int, count: int) -> Iterator[Block]:
    """Cut `count` records of a slice, of which `before` others came earlier, where one block ends and the next begins.

    Together with the cuts of the records before and after them they give the same blocks, wherever `before` lies.
    """
    start = 0
    while start < count:
        number, within = divmod(before + start, BLOCK)
        stop = min(count, start + BLOCK - within)
        yield Block(number, start, stop)
        start = stop


def first_turn(attempt_id: str) -> int:
    """Give a number by which the slices of windows begin with different hubs, however few blocks each of them has.

    attempt_id: `<window id>/<slice or close>.<try>`; all tries at a slice begin with the same hub.
    """
    window_id, _, name = attempt_id.partition("/")
    part = name.partition(".")[0]
    return zlib.crc32(window_id.encode()) + (int(part) if part.isdigit() else 0)


def turn_of(block: int, first: int, hubs: int) -> int:
    """Say which of so many hubs a block goes to, from 0."""
    return (first + block) % hubs
