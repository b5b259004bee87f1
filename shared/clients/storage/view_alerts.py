"""The rows of alerts about views: one for each alert by its id, and a second one until a mail has told of it.

Both rows are written together, and never again while the first is there. So whoever finds an alert once more, adds
nothing, and what a worker that died left unmailed is told by the next mail.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from shared.clients.storage.account import Account
from shared.clients.storage.columns import VERSION, Columns, read_row, read_rows
from shared.clients.storage.many_rows import RowGroup, delete_found, insert_once
from shared.clients.storage.tables import Query, TableStore, tables_of
from shared.domain.view_alerts import KINDS, Star, View, ViewAlert, ViewAlertKind

_TABLE: Final = "viewalerts"
_ALERT, _UNMAILED, _MAILED = "alert|", "unmailed|", "mailed"
_LAST: Final = "~"
"""Greater than whatever a key holds after its first letters."""


class ViewAlerts(Protocol):
    """Alerts by kind and id; every verb raises Unavailable or LoginRefused."""

    def add(self, alerts: Iterable[ViewAlert], at: datetime) -> None:
        """Keep alerts that are raised at an instant; those that are kept already stay."""

    def unmailed(self, kind: ViewAlertKind, most: int) -> list[ViewAlert]:
        """Give alerts of a kind that no mail told of, at most so many, those of the oldest views first."""

    def mailed_at(self, kind: ViewAlertKind) -> datetime | None:
        """Say when a mail told of alerts of a kind last."""

    def note_mailed(self, kind: ViewAlertKind, alerts: Iterable[ViewAlert], at: datetime) -> None:
        """Note that a mail told of alerts of a kind."""

    def forget(self, before: datetime, most: int) -> int:
        """Delete the alerts of views before an instant, told or not, at most so many rows of each kind and sort."""


class TableViewAlerts:
    """They in Azure Tables: a partition for each kind, in the order of the views' times."""

    def __init__(self, tables: TableStore) -> None:
        """Keep the tables."""
        self._tables = tables

    def add(self, alerts: Iterable[ViewAlert], at: datetime) -> None:
        """Insert both rows of each alert together."""
        insert_once(self._tables, _TABLE, (_rows(alert, at) for alert in alerts))

    def unmailed(self, kind: ViewAlertKind, most: int) -> list[ViewAlert]:
        """List the second rows."""
        query = Query(kind, _UNMAILED, _UNMAILED + _LAST)
        return list(read_rows(_TABLE, self._tables.query(_TABLE, query, most), _alert))

    def mailed_at(self, kind: ViewAlertKind) -> datetime | None:
        """Read a row of its own."""
        entity = self._tables.read(_TABLE, (kind, _MAILED))
        return read_row(entity, lambda columns: columns.time("at")) if entity else None

    def note_mailed(self, kind: ViewAlertKind, alerts: Iterable[ViewAlert], at: datetime) -> None:
        """Write the time, then delete the second rows."""
        self._tables.upsert(_TABLE, VERSION | {"PartitionKey": kind, "RowKey": _MAILED, "at": at.isoformat()})
        self._tables.delete(_TABLE, [(kind, _UNMAILED + _name(alert)) for alert in alerts])

    def forget(self, before: datetime, most: int) -> int:
        """Delete both sorts of rows by their keys."""
        queries = [Query(kind, sort, sort + _stamp(before)) for kind in KINDS for sort in (_ALERT, _UNMAILED)]
        return sum(delete_found(self._tables, _TABLE, query, most) for query in queries)


def table_view_alerts(account: Account) -> TableViewAlerts:
    """Give those in the tables of an account."""
    return TableViewAlerts(tables_of(account))


def _rows(alert: ViewAlert, at: datetime) -> RowGroup:
    columns = VERSION | _columns(alert) | {"raised_at": at.isoformat(), "PartitionKey": alert.kind}
    return [columns | {"RowKey": sort + _name(alert)} for sort in (_ALERT, _UNMAILED)]


def _columns(alert: ViewAlert) -> dict[str, Any]:
    view, star = alert.view, alert.star
    columns: dict[str, Any] = {
        "view_id": view.view_id,
        "user_id": str(view.user_id),
        "viewed_at": view.viewed_at.isoformat(),
        "latency": str(view.latency),
    }
    if star:
        columns |= {"star_id": star.star_id, "starred_at": star.starred_at.isoformat(), "stars": star.stars}
    return columns


def _alert(entity: Mapping[str, Any]) -> ViewAlert:
    return read_row(entity, _view_alert)


def _view_alert(columns: Columns) -> ViewAlert:
    user = int(columns.text("user_id"))
    view = View(columns.text("view_id"), user, columns.time("viewed_at"), int(columns.text("latency")))
    star = None
    if "star_id" in columns:
        star = Star(columns.text("star_id"), user, columns.time("starred_at"), columns.number("stars"))
    kind = next(one for one in KINDS if one == columns.text("PartitionKey", *KINDS))
    return ViewAlert(kind, view, star)


def _name(alert: ViewAlert) -> str:
    return f"{_stamp(alert.view.viewed_at)}|{alert.id}"


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%f}"
