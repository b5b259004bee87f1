"""The views and the low stars of the last hours, so that either is found by the other, whichever comes first.

Whoever got a view writes it and then looks for stars; whoever got stars writes them and then looks for views. The
service shows a row to all from the moment at which it is written, so of two who do so at once one at least finds the
other's row. A row never changes, which needs no ETag; it is written once, however often it comes.

A partition holds ten minutes, so that the oldest rows are found by their partitions; views are spread over several.
Views of a batch share a row where their users are of one group, since each row costs: views are many and low stars few.
"""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final, Protocol

from shared import telemetry
from shared.clients.storage.account import Account
from shared.clients.storage.columns import VERSION, Columns, document_columns, read_row, read_rows
from shared.clients.storage.many_rows import delete_found, insert_once
from shared.clients.storage.tables import Entity, Query, TableStore, tables_of
from shared.domain.view_alerts import AFTER_LOW_STARS, Star, View

SPREAD: Final = 4
"""Over so many partitions the views of ten minutes are spread; Azure writes some 2,000 rows a second to each."""

_VIEWS: Final = "recentviews"
_STARS: Final = "recentlowstars"
_SLOT: Final = timedelta(minutes=10)
_GROUPS: Final = 16
"""So many groups of users there are: a batch writes no more rows, and for stars one group's views are read."""

_IN_A_ROW: Final = 200
"""So many views a row holds at most, some 100 bytes each."""

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
        """Insert a row for each group of users, those of a partition together."""
        groups: defaultdict[tuple[str, int], list[View]] = defaultdict(list)
        for view in views:
            groups[_slot(view.viewed_at), _group(view.user_id)].append(view)
        rows = (
            _views_entity(*place, some)
            for place, own in groups.items()
            for some in batched(own, _IN_A_ROW, strict=False)
        )
        insert_once(self._tables, _VIEWS, ([row] for row in rows))

    def add_stars(self, stars: Iterable[Star]) -> None:
        """Insert a row each, those of a partition together."""
        insert_once(self._tables, _STARS, ([_star_entity(one)] for one in stars))

    def views_after(self, stars: Iterable[Star]) -> list[View]:
        """Ask for the rows of the users' groups, and leave out what others of a group viewed."""
        stars = list(stars)
        places = {(slot, _group(star.user_id)) for star in stars for slot in _slots_after(star)}
        users = {star.user_id for star in stars}
        rows = self._found(_VIEWS, [_query(*place) for place in sorted(places)], _views)
        return list(dict.fromkeys(view for views in rows for view in views if view.user_id in users))

    def stars_before(self, views: Iterable[View]) -> list[Star]:
        """Ask for the partitions of the views' times and of those before: few low stars are given in ten minutes."""
        slots = {slot for one in views for slot in _slots(one.viewed_at - AFTER_LOW_STARS, one.viewed_at)}
        return list(dict.fromkeys(self._found(_STARS, [Query(slot) for slot in sorted(slots)], _star)))

    def forget(self, before: datetime, most: int) -> int:
        """Delete the rows of all lesser partitions, the oldest first."""
        query = Query(below={"PartitionKey": _slot(before)})
        return sum(delete_found(self._tables, table, query, most) for table in (_VIEWS, _STARS))

    def _found[Row](self, table: str, asked: list[Query], parse: Callable[[Mapping[str, Any]], Row]) -> list[Row]:
        answers = telemetry.in_threads(lambda one: self._tables.query(table, one), asked, most=_SIDE_BY_SIDE)
        return read_rows(table, [row for some in answers for row in some], parse)


def table_recent_views(account: Account) -> TableRecentViews:
    """Give those in the tables of an account."""
    return TableRecentViews(tables_of(account))


def _views_entity(slot: str, group: int, views: Sequence[View]) -> Entity:
    """Name a row by its views, so that a batch that comes again makes the same one."""
    name = hashlib.sha256("|".join(one.view_id for one in views).encode()).hexdigest()[:32]
    rows = [[one.view_id, one.user_id, one.viewed_at.isoformat(), one.latency] for one in views]
    identity = {"PartitionKey": _partition(slot, group), "RowKey": f"{group:02x}|{name}"}
    return VERSION | identity | document_columns("views", {"views": rows})


def _views(entity: Mapping[str, Any]) -> list[View]:
    def parse(columns: Columns) -> list[View]:
        rows = columns.document("views")["views"]
        return [View(view_id, user, datetime.fromisoformat(at), latency) for view_id, user, at, latency in rows]

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


def _query(slot: str, group: int) -> Query:
    """Ask for the rows of a group; `~` is greater than whatever a name may hold."""
    return Query(_partition(slot, group), f"{group:02x}|", f"{group:02x}|~")


def _partition(slot: str, group: int) -> str:
    return f"{slot}-{group % SPREAD}"


def _group(user_id: int) -> int:
    return zlib.crc32(str(user_id).encode()) % _GROUPS


def _slots_after(star: Star) -> list[str]:
    return _slots(star.starred_at, star.starred_at + AFTER_LOW_STARS)


def _slots(first: datetime, last: datetime) -> list[str]:
    """Name the ten minutes of both instants, and all between."""
    count = (_begin(last) - _begin(first)) // _SLOT
    return [_slot(first + number * _SLOT) for number in range(count + 1)]


def _slot(at: datetime) -> str:
    return f"{_begin(at):%Y%m%dT%H%M}"


def _begin(at: datetime) -> datetime:
    instant = at.astimezone(UTC)
    return instant - timedelta(minutes=instant.minute % 10, seconds=instant.second, microseconds=instant.microsecond)
