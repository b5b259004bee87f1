"""The views and the low stars of the last hours, so that either is found by the other, whichever comes first.

Whoever got a view writes it and then looks for stars; whoever got stars writes them and then looks for views. The
service shows a row to all from the moment at which it is written, so of two who do so at once one at least finds the
other's row. A row never changes, which needs no ETag; it is written once, however often it comes.

A partition holds ten minutes, so that the oldest rows are found by their partitions; views are spread over several.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from shared.clients.storage.account import Account
from shared.clients.storage.columns import VERSION, Columns, read_row, read_rows
from shared.clients.storage.many_rows import delete_found, insert_once
from shared.clients.storage.tables import Entity, Query, TableStore, tables_of
from shared.domain.view_alerts import AFTER_LOW_STARS, Star, View

SPREAD: Final = 4
"""Over so many partitions the views of ten minutes are spread; Azure writes some 2,000 rows a second to each."""

_VIEWS: Final = "recentviews"
_STARS: Final = "recentlowstars"
_SLOT: Final = timedelta(minutes=10)
_SIDE_BY_SIDE: Final = 8


class RecentViews(Protocol):
    """Views and low stars until they are forgotten; every verb raises Unavailable or LoginRefused."""

    def add_views(self, views: Iterable[View]) -> None:
        """Keep views; those that are kept already stay."""

    def add_stars(self, stars: Iterable[Star]) -> None:
        """Keep low stars; those that are kept already stay."""

    def views_after(self, stars: Iterable[Star]) -> list[View]:
        """Give the views of the stars' users within `AFTER_LOW_STARS`, each once."""

    def stars_before(self, views: Iterable[View]) -> list[Star]:
        """Give the low stars of anyone who may have given them within `AFTER_LOW_STARS` before, each once."""

    def forget(self, before: datetime, most: int) -> int:
        """Delete what happened before an instant, or up to ten minutes earlier, at most so many; say how many."""


class TableRecentViews:
    """They in Azure Tables."""

    def __init__(self, tables: TableStore) -> None:
        """Keep the tables."""
        self._tables = tables

    def add_views(self, views: Iterable[View]) -> None:
        """Insert a row each, those of a partition together."""
        insert_once(self._tables, _VIEWS, ([_view_entity(one)] for one in views))

    def add_stars(self, stars: Iterable[Star]) -> None:
        """Insert a row each, those of a partition together."""
        insert_once(self._tables, _STARS, ([_star_entity(one)] for one in stars))

    def views_after(self, stars: Iterable[Star]) -> list[View]:
        """Ask for each star by the keys of its user."""
        asked = [query for star in stars for query in _queries_after(star)]
        return self._found(_VIEWS, asked, _view)

    def stars_before(self, views: Iterable[View]) -> list[Star]:
        """Ask for the partitions of the views' times and of those before: few low stars are given in ten minutes."""
        slots = {slot for one in views for slot in _slots(one.viewed_at - AFTER_LOW_STARS, one.viewed_at)}
        return self._found(_STARS, [Query(slot) for slot in sorted(slots)], _star)

    def forget(self, before: datetime, most: int) -> int:
        """Delete the rows of all lesser partitions, the oldest first."""
        query = Query(below={"PartitionKey": _slot(before)})
        return sum(delete_found(self._tables, table, query, most) for table in (_VIEWS, _STARS))

    def _found[Row](self, table: str, asked: list[Query], parse: Callable[[Mapping[str, Any]], Row]) -> list[Row]:
        if not asked:
            return []
        with ThreadPoolExecutor(min(_SIDE_BY_SIDE, len(asked))) as pool:
            found = [row for some in pool.map(lambda one: self._tables.query(table, one), asked) for row in some]
        return list(dict.fromkeys(read_rows(table, found, parse)))


def table_recent_views(account: Account) -> TableRecentViews:
    """Give those in the tables of an account."""
    return TableRecentViews(tables_of(account))


def _view_entity(view: View) -> Entity:
    return VERSION | {
        "PartitionKey": _partition(_slot(view.viewed_at), view.user_id),
        "RowKey": f"{view.user_id}|{view.view_id}",
        "viewed_at": view.viewed_at.isoformat(),
        "latency": str(view.latency),
    }


def _view(entity: Mapping[str, Any]) -> View:
    def parse(columns: Columns) -> View:
        user, _, view_id = columns.text("RowKey").partition("|")
        return View(view_id, int(user), columns.time("viewed_at"), int(columns.text("latency")))

    return read_row(entity, parse)


def _star_entity(star: Star) -> Entity:
    return VERSION | {
        "PartitionKey": _slot(star.starred_at),
        "RowKey": star.star_id,
        "user_id": str(star.user_id),
        "starred_at": star.starred_at.isoformat(),
        "stars": star.stars,
    }


def _star(entity: Mapping[str, Any]) -> Star:
    def parse(columns: Columns) -> Star:
        user, at = int(columns.text("user_id")), columns.time("starred_at")
        return Star(columns.text("RowKey"), user, at, columns.number("stars"))

    return read_row(entity, parse)


def _queries_after(star: Star) -> list[Query]:
    """Ask for the views of a star's user; `~` is greater than whatever an id may hold."""
    first, before = f"{star.user_id}|", f"{star.user_id}|~"
    slots = _slots(star.starred_at, star.starred_at + AFTER_LOW_STARS)
    return [Query(_partition(slot, star.user_id), first, before) for slot in slots]


def _partition(slot: str, user_id: int) -> str:
    return f"{slot}-{zlib.crc32(str(user_id).encode()) % SPREAD}"


def _slots(first: datetime, last: datetime) -> list[str]:
    """Name the ten minutes of both instants, and all between."""
    count = (_begin(last) - _begin(first)) // _SLOT
    return [_slot(first + number * _SLOT) for number in range(count + 1)]


def _slot(at: datetime) -> str:
    return f"{_begin(at):%Y%m%dT%H%M}"


def _begin(at: datetime) -> datetime:
    instant = at.astimezone(UTC)
    return instant - timedelta(minutes=instant.minute % 10, seconds=instant.second, microseconds=instant.microsecond)
