"""For how long something is on: spans of time that windows cause, which overlap and are paid once."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final

from cost.case import MONTH, FeedCase
from shared.domain.windows.window import Window

type Span = tuple[datetime, datetime]

_BEGIN: Final = datetime(2026, 11, 2, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


def share_of_time(feeds: Iterable[FeedCase], span: Callable[[FeedCase, Window], Span]) -> float:
    """Say for which part of all time, 0 to 1, any window's span lasts; the grids repeat after a day, or their `every`.

    span: gives what a window of a feed causes; it is shorter than a hundred days.
    """
    feeds = tuple(feeds)
    period = max((feed.schedule.every for feed in feeds), default=_DAY)
    period = max(_DAY, -(-period // _DAY) * _DAY)
    found = chain.from_iterable(_spans(feed, period, span) for feed in feeds)
    return union(found, _BEGIN, _BEGIN + period) / period


def seconds_of_month(share: float) -> float:
    """Give the seconds of a month for a share of all time."""
    return share * MONTH.total_seconds()


def union(spans: Iterable[Span], first: datetime, end: datetime) -> timedelta:
    """Add up the time between two instants that lies in any of some spans."""
    total, reached = timedelta(), first
    for begin, stop in sorted(spans):
        begins, stops = max(begin, reached), min(stop, end)
        if stops > begins:
            total, reached = total + (stops - begins), stops
    return total


def _spans(feed: FeedCase, period: timedelta, span: Callable[[FeedCase, Window], Span]) -> Iterable[Span]:
    """Give the spans of the windows of a period, and of those before it that may last into it."""
    before = max(period, 100 * _DAY if feed.schedule.every >= _DAY else 3 * _DAY)
    return (span(feed, window) for window in feed.schedule.starting_in(_BEGIN - before, _BEGIN + period))
