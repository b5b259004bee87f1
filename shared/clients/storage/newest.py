"""The newest rows of a partition whose row keys are times, out of a service that answers the oldest first."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import chain, islice

from shared.clients.storage.tables import MOST_IN_A_PAGE, Entity
from shared.domain.windows.window import EARLIEST, LATEST, stamp

type Page = Callable[[str, str, int], list[Entity]]
"""Gives the first so many entities with row keys in `[first, before)`, oldest first; an empty key is no bound."""


type _Range = tuple[datetime | None, datetime | None]
"""None is no bound, for keys that are no times."""

_DENSITY = timedelta(hours=1)


def newest_first(page: Page, most: int, *, now: datetime, before: datetime | None) -> list[Entity]:
    """Give the `most` newest entities that start before an instant, the newest first.

    What lies ahead of `now` is read, then ranges that double backwards, the first of `most` hours; a
    range that holds more than a page is halved, and its later half read first. So a handful of pages is read
    whatever the length of the ledger, and none of them is larger than a page.
    """
    ranges = _ranges(now, before, max(most, 1) * _DENSITY)
    return list(islice(chain.from_iterable(_descending(page, first, last) for first, last in ranges), most))


def _ranges(now: datetime, before: datetime | None, step: timedelta) -> Iterator[_Range]:
    """Give ranges from the newest to the oldest, without a gap."""
    end = before
    if end is None:
        yield LATEST, None
        end = LATEST
    begin = min(now, end)
    if begin < end:
        yield begin, end
    while begin > EARLIEST:
        end, begin = begin, max(begin - step, EARLIEST) if begin - EARLIEST > step else EARLIEST
        yield begin, end
        step *= 2
    yield None, min(begin, EARLIEST)


def _descending(page: Page, first: datetime | None, last: datetime | None) -> Iterator[Entity]:
    entities = page(stamp(first) if first else "", stamp(last) if last else "", MOST_IN_A_PAGE)
    if len(entities) < MOST_IN_A_PAGE or first is None or last is None or last - first <= timedelta(seconds=1):
        yield from reversed(entities)
        return
    middle = first + (last - first) // 2
    yield from _descending(page, middle, last)
    yield from _descending(page, first, middle)
