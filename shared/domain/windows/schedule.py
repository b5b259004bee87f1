"""Which windows a tick of the timer must claim, start or give up: decided from the grid and the ledger alone (D5)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import MAX_WINDOW
from shared.domain.windows.window import Window

RESTART_AFTER = timedelta(minutes=2)
MAX_PER_TICK = 500

MOST_ATTEMPTS: Final = 3
"""So often is a window ingested without anybody asking for it."""

REINGEST_AFTER: Final = timedelta(minutes=10)
"""How long after its end a window is opened again at the earliest: what spoiled it may still last."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a feed's windows lie: each `every` on the absolute grid moved by `offset`, `length` long.

    reingest: whether catching up also opens windows again that ended badly.
    longest: how long a window of the feed may be, on the grid or beside it.
    """

    feed: str
    every: timedelta
    offset: timedelta
    length: timedelta
    lead: timedelta
    catch_up: timedelta
    longest: timedelta = MAX_WINDOW
    reingest: bool = False

    def starting_in(self, first: datetime, end: datetime) -> list[Window]:
        """List the grid's windows whose start lies in `[first, end)`, in order."""
        return list(self._from(first, end))

    def uncovered(self, first: datetime, end: datetime, rows: Sequence[WindowRow]) -> Iterator[Window]:
        """Give what `rows` leave of the grid's windows from `first` on, in order: whole windows, or parts of them.

        The grid's window in which `first` lies counts from there on; what starts at `end` or later is left out.
        """
        for window in self._from(first - self.length + _SECOND, end):
            rest = Window(window.feed, max(window.start, first), window.end)
            yield from (part for part in parts_left(rest, rows) if part.start < end)

    def _from(self, first: datetime, end: datetime) -> Iterator[Window]:
        steps = -(-(first - _EPOCH - self.offset) // self.every)
        start = _EPOCH + self.offset + steps * self.every
        while start < end:
            yield Window(self.feed, start, start + self.length)
            start += self.every


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick must do: insert `claim` rows, insert `missed` rows, start those of `start` that are planned, and
    open those of `reopen` again.
    """

    claim: tuple[Window, ...] = ()
    missed: tuple[Window, ...] = ()
    start: tuple[WindowRow, ...] = ()
    reopen: tuple[WindowRow, ...] = ()


def decide_tick(schedule: Schedule, rows: Sequence[WindowRow], now: datetime, period: timedelta) -> Tick:
    """Decide what a tick at `now` does for one feed.

    `rows` are the feed's ledger rows that reach beyond `now - catch_up - every`, or beyond the start of the newest one
    of the timer where that is older, and all active ones. A window is due one timer `period` before `start - lead`.
    A feed without rows of the timer begins with the grid's next window. What was requested by hand is cut out of the
    grid; the rest of a grid's window is a window of its own, or two.
    """
    horizon = now + period + schedule.lead
    due = list(islice(schedule.uncovered(_covered_until(rows, schedule, now), horizon, rows), MAX_PER_TICK))
    oldest = now - schedule.catch_up
    return Tick(
        claim=tuple(window for window in due if window.end > oldest),
        missed=tuple(window for window in due if window.end <= oldest),
        start=startable(rows, now),
        reopen=tuple(row for row in rows if schedule.reingest and _ended_badly(row, now, oldest)),
    )


def startable(rows: Iterable[WindowRow], now: datetime) -> tuple[WindowRow, ...]:
    """List the planned rows to start: the first of the queue, and those whose claimer did not start them in time."""
    in_order = sorted(rows, key=lambda row: row.window.start)
    busy = any(row.queued and row.state == "open" for row in in_order)
    planned = [row for row in in_order if row.state == "planned"]
    queue = [] if busy else [row for row in planned if row.queued][:1]
    forgotten = [row for row in planned if not row.queued and now - row.claimed_at >= RESTART_AFTER]
    return (*queue, *forgotten)


def _covered_until(rows: Sequence[WindowRow], schedule: Schedule, now: datetime) -> datetime:
    """Give the time before which the grid was seen to: the end of the timer's newest window."""
    ends = [row.window.end for row in rows if row.origin == "timer"]
    return max(ends) if ends else schedule.starting_in(now, now + schedule.every)[0].start


def _ended_badly(row: WindowRow, now: datetime, oldest: datetime) -> bool:
    """Say whether catching up opens a window again: not one that a person stopped, and not for ever."""
    again = row.state in {"missed", "failed", "incomplete"} and row.attempt < MOST_ATTEMPTS
    rested = row.closed_at is not None and now - row.closed_at >= REINGEST_AFTER
    return again and rested and oldest < row.window.end <= now


def parts_left(window: Window, rows: Iterable[WindowRow]) -> Iterator[Window]:
    """Give the parts of a window that none of the windows of `rows` takes, in order."""
    begin = window.start
    for other in sorted(row.window for row in rows if row.window.overlaps(window)):
        if other.start > begin:
            yield Window(window.feed, begin, other.start)
        begin = max(begin, other.end)
    if begin < window.end:
        yield Window(window.feed, begin, window.end)


_SECOND = timedelta(seconds=1)
