"""Which windows a request to ingest a feed means, and why it may mean none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.duration import format_duration
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.schedule import Schedule, parts_left
from shared.domain.windows.window import EARLIEST, LATEST, TIME_RULE, Window

MAX_BACK_FILL: Final = timedelta(days=31)

MOST_WINDOWS: Final = 744
"""So many windows one request may mean: 31 days of an hourly grid."""


class InvalidRequest(ValueError):
    """A request that means no windows: its `field` breaks the `rule`, worded to follow the field's name."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field} {rule}")
        self.field, self.rule = field, rule


class WindowTaken(ValueError):
    """A request for a window whose time, or a part of it, `rival` has already."""

    def __init__(self, window: Window, rival: WindowRow) -> None:
        super().__init__(f"{window.id} overlaps {rival.window.id}")
        self.window, self.rival = window, rival


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A wish to ingest one feed in `[start, end)`, at most 31 days between 2000 and 2100.

    Raises InvalidRequest for any other time.
    """

    feed: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for field, time in (("start", self.start), ("end", self.end)):
            if not EARLIEST <= time <= LATEST:
                raise InvalidRequest(field, f"{TIME_RULE}; it is {time.isoformat()}")
        if self.end <= self.start:
            raise InvalidRequest("end", f"must be after start; it is {self.end.isoformat()}")
        if self.length > MAX_BACK_FILL:
            raise InvalidRequest("length", f"must be at most 31 days; it is {self.length}")

    @property
    def length(self) -> timedelta:
        """Give the time from start to end."""
        return self.end - self.start


MOST_LISTED: Final = 1000
USUALLY_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A wish to see windows, newest first: of one feed or of all, in one state or any, at most `limit` of them.

    after: feed and start of the window behind which the list goes on.
    """

    feed: str | None = None
    state: str | None = None
    limit: int = USUALLY_LISTED
    after: tuple[str, datetime] | None = None


@dataclass(frozen=True, slots=True)
class RequestDecision:
    """What a request means: windows to claim, ended ones to open again, and those that stand as they are wanted.

    rest: what a further request must ask for, where one may not mean so many windows; else None.
    """

    claim: tuple[Window, ...] = ()
    reopen: tuple[WindowRow, ...] = ()
    known: tuple[WindowRow, ...] = ()
    rest: OpenRequest | None = None


def decide_request(
    request: OpenRequest, schedule: Schedule, rows: Sequence[WindowRow], now: datetime, most: int = MOST_WINDOWS
) -> RequestDecision:
    """Decide what a request means beside `rows`, the feed's windows near that time; at most so many windows.

    Raises InvalidRequest, and WindowTaken where a window overlaps it that is another one and can't be opened again.
    """
    found = _back_fill(request, schedule, rows, now) if request.end <= now else _to_come(request, schedule, rows, now)
    chosen = sorted(found, key=_start_of)
    rest = OpenRequest(request.feed, _start_of(chosen[most]), request.end) if len(chosen) > most else None
    known = [one for one in chosen[:most] if isinstance(one, WindowRow)]
    return RequestDecision(
        claim=tuple(one for one in chosen[:most] if isinstance(one, Window)),
        reopen=tuple(row for row in known if row.reopenable),
        known=tuple(row for row in known if not row.reopenable),
        rest=rest,
    )


def _to_come(
    request: OpenRequest, schedule: Schedule, rows: Sequence[WindowRow], now: datetime
) -> list[Window | WindowRow]:
    """Give the one window of a request that ends after `now`, as the ledger has it already or as it is asked for."""
    window = Window(request.feed, request.start, request.end)
    same = next((row for row in rows if row.window == window), None)
    if same and not same.reopenable:
        return [same]
    rival = next((row for row in rows if row is not same and row.window.overlaps(window)), None)
    if rival:
        raise WindowTaken(window, rival)
    if request.start < now - schedule.lead:
        rule = "must not have passed while the end has not: ask for the past and the future apart"
        raise InvalidRequest("start", rule)
    if request.length > schedule.longest:
        rule = f"must be at most {format_duration(schedule.longest)} for a window to come; it is {request.length}"
        raise InvalidRequest("length", rule)
    return [same or window]


def _back_fill(
    request: OpenRequest, schedule: Schedule, rows: Sequence[WindowRow], now: datetime
) -> list[Window | WindowRow]:
    """Give the ledger's windows in a past time, and what they leave of the grid's windows in it."""
    grid = _grid_of(request, schedule, rows)
    inside = [row for row in rows if request.start <= row.window.start and row.window.end <= request.end]
    over = [row for row in rows if row not in inside and any(row.window.overlaps(window) for window in grid)]
    for rival in over:
        if not rival.reopenable or rival.window.end > now:
            raise WindowTaken(next(window for window in grid if rival.window.overlaps(window)), rival)
    found: list[Window | WindowRow] = [*inside, *over]
    found += [part for window in grid for part in parts_left(window, rows)]
    if not found:
        rule = f"holds no whole window of the grid: one begins each {schedule.every} and is {schedule.length} long"
        raise InvalidRequest("start", rule)
    return found


def _grid_of(request: OpenRequest, schedule: Schedule, rows: Sequence[WindowRow]) -> list[Window]:
    """List the grid's windows that lie in a past time; of one that began before it the end, where that alone is left.

    So a back-fill goes on wherever an earlier page of it ended.
    """
    grid = [window for window in schedule.starting_in(request.start, request.end) if window.end <= request.end]
    begun = schedule.starting_in(request.start - schedule.length + timedelta(seconds=1), request.start)
    for window in begun:
        before = Window(window.feed, window.start, request.start)
        crossed = any(row.window.start < request.start < row.window.end for row in rows)
        if window.end <= request.end and not crossed and not any(parts_left(before, rows)):
            grid.insert(0, Window(window.feed, request.start, window.end))
    return grid


def _start_of(one: Window | WindowRow) -> datetime:
    return one.start if isinstance(one, Window) else one.window.start
