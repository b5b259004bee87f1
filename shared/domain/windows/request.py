"""Which windows a request to ingest a feed means, and why it may mean none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import MAX_WINDOW
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import EARLIEST, LATEST, TIME_RULE, Window

MAX_BACK_FILL: Final = timedelta(days=31)


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


def windows_to_claim(
    request: OpenRequest, schedule: Schedule, rivals: Sequence[WindowRow], now: datetime
) -> list[Window]:
    """Give the windows of a request, none of which overlaps a row of `rivals`, the feed's windows near that time.

    Raises InvalidRequest, and WindowTaken, which comes first where the window is one to come.
    """
    if request.end > now:
        _refuse_overlap([Window(request.feed, request.start, request.end)], rivals)
    windows = windows_of(request, schedule, now)
    _refuse_overlap(windows, rivals)
    return windows


def windows_of(request: OpenRequest, schedule: Schedule, now: datetime) -> list[Window]:
    """Give the one window of a request that ends after `now`, or the grid's windows that lie in a past one.

    Raises InvalidRequest where there is none, or where a window to come would be longer than a day.
    """
    if request.end <= now:
        return _back_fill(request, schedule)
    if request.start < now - schedule.lead:
        rule = "must not have passed while the end has not: ask for the past and the future apart"
        raise InvalidRequest("start", rule)
    if request.length > MAX_WINDOW:
        raise InvalidRequest("length", f"must be at most 24:00:00 for a window to come; it is {request.length}")
    return [Window(request.feed, request.start, request.end)]


def _back_fill(request: OpenRequest, schedule: Schedule) -> list[Window]:
    starts = schedule.starting_in(request.start, request.end)
    windows = [window for window in starts if window.end <= request.end]
    if not windows:
        rule = f"holds no whole window of the grid: one begins each {schedule.every} and is {schedule.length} long"
        raise InvalidRequest("start", rule)
    return windows


def _refuse_overlap(windows: Iterable[Window], rivals: Sequence[WindowRow]) -> None:
    for window in windows:
        for rival in rivals:
            if window.overlaps(rival.window):
                raise WindowTaken(window, rival)
