"""Which windows a tick of the timer must claim, start or give up: decided from the grid and the ledger alone (D5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import MAX_WINDOW
from shared.domain.windows.window import Window

RESTART_AFTER = timedelta(minutes=2)
MAX_PER_TICK = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a feed's windows lie: each `every` on the absolute grid moved by `offset`, `length` long.

    longest: how long a window of the feed may be, on the grid or beside it.
    """

    feed: str
    every: timedelta
    offset: timedelta
    length: timedelta
    lead: timedelta
    catch_up: timedelta
    longest: timedelta = MAX_WINDOW

    def starting_in(self, first: datetime, end: datetime) -> list[Window]:
        """List the grid's windows whose start lies in `[first, end)`, in order."""
        steps = -(-(first - _EPOCH - self.offset) // self.every)
        start = _EPOCH + self.offset + steps * self.every
        windows = []
        while start < end:
            windows.append(Window(self.feed, start, start + self.length))
            start += self.every
        return windows


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick must do: insert `claim` rows, insert `missed` rows, start those of `start` that are planned."""

    claim: tuple[Window, ...] = ()
    missed: tuple[Window, ...] = ()
    start: tuple[WindowRow, ...] = ()


def decide_tick(schedule: Schedule, rows: Sequence[WindowRow], now: datetime, period: timedelta) -> Tick:
    """Decide what a tick at `now` does for one feed.

    `rows` are the feed's ledger rows since `now - catch_up - every`, its newest one however old, and all active ones.
    A window is due one timer `period` before `start - lead`. A feed without rows begins with the grid's next window.
    """
    horizon = now + period + schedule.lead
    due = _without_overlap(schedule.starting_in(_first_unclaimed(rows, now), horizon), rows)[:MAX_PER_TICK]
    oldest = now - schedule.catch_up
    return Tick(
        claim=tuple(window for window in due if window.end > oldest),
        missed=tuple(window for window in due if window.end <= oldest),
        start=startable(rows, now),
    )


def startable(rows: Iterable[WindowRow], now: datetime) -> tuple[WindowRow, ...]:
    """List the planned rows to start: the first of the queue, and those whose claimer did not start them in time."""
    in_order = sorted(rows, key=lambda row: row.window.start)
    busy = any(row.queued and row.state == "open" for row in in_order)
    planned = [row for row in in_order if row.state == "planned"]
    queue = [] if busy else [row for row in planned if row.queued][:1]
    forgotten = [row for row in planned if not row.queued and now - row.claimed_at >= RESTART_AFTER]
    return (*queue, *forgotten)


def _first_unclaimed(rows: Sequence[WindowRow], now: datetime) -> datetime:
    scheduled = [row.window.start for row in rows if row.origin == "timer"]
    return max(scheduled) + timedelta(seconds=1) if scheduled else now


def _without_overlap(windows: list[Window], rows: Sequence[WindowRow]) -> list[Window]:
    return [window for window in windows if not any(window.overlaps(row.window) for row in rows)]
