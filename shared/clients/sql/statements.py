"""Every statement on measurements, alerts and counts, composed once for both dialects.

They are constants, whose parameters are bound when they are run: composing one anew costs more than running it.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    collate,
    column,
    distinct,
    exists,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.sql.functions import GenericFunction

from shared.clients.sql.tables import ALERTS, METRICS, WINDOW_COUNTS
from shared.domain.volumes.measurement import GOOD, LEVEL_ROW, MOST_HISTORY, NEW_LEVEL

PENDING, SENT = "pending", "sent"
_NOTHING = literal_column("0", Integer)
_TABLES = {
    "sqlite": [literal_column("'table'", String), literal_column("'view'", String)],
    "mssql": [literal_column("'U'", String), literal_column("'V'", String)],
}


class _CountRows(GenericFunction[int]):
    """`COUNT(*)`, of which SQL Server needs another spelling for more than 2³¹ rows."""

    type = BigInteger()
    inherit_cache = True
    name = "count_rows"


compiles(_CountRows, "mssql")(lambda *_, **__: "COUNT_BIG(*)")
compiles(_CountRows, "sqlite")(lambda *_, **__: "COUNT(*)")

_master = table("sqlite_master", column("name", String), column("type", String))
_objects = table(
    "objects", column("name", String), column("type", String), column("schema_id", Integer), schema="sys"
).alias("objects")
_names = [bindparam("first", type_=String), bindparam("second", type_=String)]

COUNT_OBJECTS: Final[dict[str, Select[int]]] = {
    "sqlite": select(func.count())
    .select_from(_master)
    .where(_master.c.type.in_(_TABLES["sqlite"]), collate(_master.c.name, "NOCASE").in_(_names)),
    "mssql": select(func.count(distinct(_objects.c.name))).where(
        _objects.c.type.in_(_TABLES["mssql"]),
        _objects.c.schema_id.in_([func.schema_id(), func.schema_id(literal_column("'dbo'"))]),
        _objects.c.name.in_(_names),
    ),
}
"""By dialect: how many of two names (`first`, `second`) are tables or views that the login may see."""

_counts = WINDOW_COUNTS.c

_named = WINDOW_COUNTS.alias("named").c
_has_named = (
    exists()
    .where(_named.window_id == _counts.window_id, _named.stream == _counts.stream)
    .where(_named.stage == "sql", _named.name == bindparam("of_table"))
)

SUM_WINDOWS: Final = select(func.coalesce(func.sum(_counts.rows), _NOTHING)).where(
    _counts.stream == bindparam("of_stream"),
    _counts.stage == "sql",
    or_(_counts.name == bindparam("of_table"), and_(_counts.name == "", not_(_has_named))),
)
"""The rows that all windows of a stream brought to a SQL table; former versions of the lakehouse left it unnamed."""

WAITING_IN_SPILL: Final = select(func.coalesce(func.sum(_counts.rows), _NOTHING)).where(
    _counts.window_id == bindparam("of_window"),
    _counts.stream == bindparam("of_stream"),
    _counts.stage == "spill",
    _counts.name == "waiting",
)
"""The records of a window and stream that waited in the spill when the lakehouse counted them."""

COUNTS_OF_WINDOW: Final = select(_counts.stream, _counts.stage, _counts.name, _counts.rows).where(
    _counts.window_id == bindparam("of_window")
)

_of_key = METRICS.c.table_key == bindparam("key")
_of_run = METRICS.c.run_id == bindparam("run")
_of_kind = METRICS.c.kind == bindparam("of_kind")
_newest = METRICS.c.entry.desc()

MEASUREMENT_OF: Final = select(METRICS).where(_of_key, _of_run)
LAST_ENTRY: Final = select(func.coalesce(func.max(METRICS.c.entry), _NOTHING)).where(_of_key)
LAST_TOTAL: Final = select(METRICS.c.all_ingested_rows).where(_of_key, _of_kind).order_by(_newest).limit(1)
NEWEST_LEVEL: Final = select(func.coalesce(func.max(METRICS.c.entry), _NOTHING)).where(
    _of_key, _of_kind, METRICS.c.verdict == literal(NEW_LEVEL)
)
"""The entry by which the level of a table changed last; 0, below all entries, where it never did."""

LEVEL_DELTAS: Final = (
    select(METRICS.c.rows_count_delta)
    .where(_of_key, _of_kind, METRICS.c.entry <= bindparam("level"))
    .order_by(_newest)
    .limit(LEVEL_ROW)
)
"""The deltas that made a level, newest first."""

GOOD_DELTAS: Final = (
    select(METRICS.c.rows_count_delta)
    .where(_of_key, _of_kind, METRICS.c.entry > bindparam("level"))
    .where(METRICS.c.verdict.in_([literal(verdict) for verdict in sorted(GOOD)]))
    .order_by(_newest)
    .limit(MOST_HISTORY)
)
"""The deltas of good measurements since a level was made, newest first."""

RECENT: Final = (
    select(METRICS.c.verdict, METRICS.c.rows_count_delta)
    .where(_of_key, _of_kind)
    .order_by(_newest)
    .limit(LEVEL_ROW - 1)
)
"""Verdicts and deltas of the last measurements, good or not, newest first."""

INSERT_MEASUREMENT: Final = insert(METRICS)

_alerts = ALERTS.c
_of_id = _alerts.alert_id == bindparam("id")
_is_pending = _alerts.state == PENDING
_is_free = or_(_alerts.leased_until.is_(None), _alerts.leased_until <= bindparam("now"))

PAST_ALERTS: Final = (
    select(_alerts.cause, func.max(_alerts.created_at))
    .where(_alerts.table_key == bindparam("key"), _alerts.alert_id != bindparam("besides"))
    .group_by(_alerts.cause)
)
"""When the last alert of each cause was raised for a table key, but for the one with the id `besides`."""

FIND_ALERT: Final = select(ALERTS).where(_of_id)
DUE_ALERTS: Final = (
    select(_alerts.alert_id)
    .where(_is_pending, _alerts.next_try_at <= bindparam("now"), _is_free)
    .order_by(_alerts.next_try_at, _alerts.alert_id)
)
"""The ids of alerts to be sent now, the longest due first."""

COUNT_PENDING: Final = select(func.count()).select_from(ALERTS).where(_is_pending)

INSERT_ALERT: Final = insert(ALERTS)
TAKE_ALERT: Final = (
    update(ALERTS)
    .where(_of_id, _is_pending, _is_free)
    .values(leased_until=bindparam("until"), attempts=_alerts.attempts + 1)
)
SETTLE_ALERT: Final = (
    update(ALERTS).where(_of_id, _is_pending).values(state=SENT, sent_at=bindparam("now"), leased_until=None)
)
SETTLE_MEASUREMENT: Final = update(METRICS).where(_of_key, _of_run, METRICS.c.alert == PENDING).values(alert=SENT)
PUT_OFF_ALERT: Final = (
    update(ALERTS).where(_of_id, _is_pending).values(next_try_at=bindparam("until"), leased_until=None)
)


@cache
def count_rows(name: str, *, of_window: bool) -> Select[int]:
    """Count the rows of a measured table: all, or those of a window."""
    window = column("window_id", String)
    measured = table(quoted_name(name, quote=True), window).alias("measured")
    counted = select(_CountRows()).select_from(measured)
    return counted.where(measured.c.window_id == bindparam("of_window")) if of_window else counted


def last_measurements(most: int) -> Select[*tuple[Any, ...]]:
    """Read the newest measurements of a table key."""
    return select(METRICS).where(_of_key).order_by(_newest).limit(most)
