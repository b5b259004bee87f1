"""The reference data of drawn feeds: drawn once for a pool, into files of the lake, as far as there is time.

What is missing is read from the lake alone, so whoever was broken off, or ran out of time, is gone on with at the next
tick, and of two at once each writes the same.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared import telemetry
from shared.clients.storage.drawn_files import DrawnFiles
from shared.errors import IngestionError
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Drawing, Drawn, DrawnReference, Feed
from shared.feeds.reference_lines import block_of, edition_of, lines_of_each

logger = logging.getLogger(__name__)

TIME: Final = timedelta(minutes=4)
"""How long one tick of the timer works on reference data; the next one goes on."""

ROWS: Final = 4_096
"""Of a block, or of what is drawn at once of files that hold one row each: some MB of memory."""

_SIDE_BY_SIDE = 16  # small files
_TELL_EVERY = 64  # blocks


@dataclass(frozen=True, slots=True)
class ReferenceTools:
    """What drawing reference data needs of the world.

    drawing: gives a drawn feed ready to draw, with its pool. options: the values of each feed's own settings.
    """

    files: DrawnFiles
    drawing: Callable[[str, Drawn], Drawing]
    clock: Callable[[], datetime]
    feeds: Mapping[str, Feed]
    options: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Task:
    """One reference of a feed, for the values of its settings."""

    reference: DrawnReference
    pool: Pool
    options: Mapping[str, Any]
    until: datetime

    @property
    def size(self) -> int:
        return self.reference.size(self.options)

    @property
    def edition(self) -> str:
        return edition_of(self.reference, self.pool, self.options)


def draw_reference_data(tools: ReferenceTools) -> None:
    """Write what is missing of the feeds' reference data; one that can't be written is told, and costs no other."""
    until = tools.clock() + TIME
    for name, feed in tools.feeds.items():
        for reference in feed.references:
            try:
                _write(tools, feed, reference, until)
            except IngestionError as error:
                telemetry.warning(logger, "reference.not_written", feed=name, name=reference.name, cause=error)


def _write(tools: ReferenceTools, feed: Feed, reference: DrawnReference, until: datetime) -> None:
    if not isinstance(feed.source, Drawn):
        return
    pool = tools.drawing(feed.name, feed.source).pool
    task = _Task(reference, pool, tools.options.get(feed.name, {}), until)
    wrote = _write_each(tools, task) if reference.one_each else _write_in_blocks(tools, task)
    if wrote:
        telemetry.info(logger, "reference.written", feed=feed.name, name=reference.name, rows=task.size)


def _write_in_blocks(tools: ReferenceTools, task: _Task) -> bool:
    """Write one file of all rows; say whether this call completed it."""
    path, edition, size = task.reference.path, task.edition, task.size
    if tools.files.edition(path) == edition:
        return False
    blocks, staged = -(-size // ROWS), tools.files.staged(path, edition)
    missing = [number for number in range(blocks) if number not in staged]
    for done, number in enumerate(missing):
        if tools.clock() >= task.until:
            _tell_rest(task, len(missing) - done, blocks)
            return False
        numbers = range(number * ROWS + 1, min((number + 1) * ROWS, size) + 1)
        block = block_of(task.reference, task.pool, task.options, numbers)
        tools.files.stage(path, edition, number, block)
        if (done + 1) % _TELL_EVERY == 0:
            _tell_rest(task, len(missing) - done - 1, blocks)
    tools.files.commit(path, edition, blocks)
    return True


def _write_each(tools: ReferenceTools, task: _Task) -> bool:
    """Write a file for each row; say whether this call completed them."""
    edition, paths = task.edition, task.reference.path
    there = tools.files.editions(paths.partition("{number}")[0])
    missing = [one for one in range(1, task.size + 1) if there.get(paths.format(number=one)) != edition]
    for first in range(0, len(missing), ROWS):
        if tools.clock() >= task.until:
            _tell_rest(task, len(missing) - first, task.size)
            return False
        part = missing[first : first + ROWS]
        contents = lines_of_each(task.reference, task.pool, task.options, part)
        files = [(paths.format(number=one), edition, content) for one, content in zip(part, contents, strict=True)]
        telemetry.in_threads(lambda file: tools.files.write(*file), files, most=_SIDE_BY_SIDE)
    return bool(missing)


def _tell_rest(task: _Task, left: int, whole: int) -> None:
    telemetry.info(logger, "reference.progress", name=task.reference.name, done=whole - left, of=whole)
