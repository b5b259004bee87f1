"""Measurements and alerts in the SQL database: a run is measured once, and its alert is committed with it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row

from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.sql import statements
from shared.clients.sql.database import SqlDatabase
from shared.clients.sql.stores import MetricsTransaction
from shared.clients.sql.tables import ADMINISTRATORS_FILE, ALERTS, METRICS, WINDOW_COUNTS
from shared.clients.sql.transaction import Parameter, Transaction
from shared.domain.volumes.alert import LEASE, Alert, PastAlerts
from shared.domain.volumes.measurement import MOST_HISTORY, Counted, Limits, MeasuredTable, Measurement, MeasureRequest
from shared.errors import Denied, Unavailable

COUNTING: Final = Timeouts(total=80.0, attempt=60.0, ordinary=Backoff(0.5, 10.0), throttled=Backoff(2.0, 10.0))
"""A count of a large table may take a minute, and a paused database of Azure one to wake up.

With the ledger before it and the alert behind it a caller still has its answer within 200 s.
"""

NOTING: Final = Timeouts(total=10.0, attempt=5.0, ordinary=Backoff(0.2, 2.0), throttled=Backoff(1.0, 4.0))
"""One row by its key: what can't be noted now is noted by the timer that comes again."""


@dataclass(frozen=True, slots=True)
class SqlMetrics:
    """Measurements in `enrichment_pipeline_metrics`, alerts in `enrichment_alerts`; both are made where allowed.

    counting, noting: how long a measurement is tried, and all the rest.
    """

    database: SqlDatabase
    counting: RetryPolicy = field(default_factory=lambda: RetryPolicy(COUNTING))
    noting: RetryPolicy = field(default_factory=lambda: RetryPolicy(NOTING))

    def transact[Answer](
        self, table: str, work: Callable[[MetricsTransaction], Answer], *, counts_rows: bool = False
    ) -> Answer:
        """Do the work under the lock of the table key; its tries remember together what they wrote."""
        written = _Written()

        def once(sql: Transaction) -> Answer:
            sql.lock(f"{METRICS.name}:{table}")
            sql.make(METRICS, ALERTS)
            return work(_SqlMetricsTransaction(sql, table, written))

        return self._call(once, self.counting if counts_rows else self.noting)

    def last(self, table: str, most: int) -> list[Measurement]:
        """Read them; there are none where nothing was ever measured."""

        def once(sql: Transaction) -> list[Measurement]:
            if not sql.has(METRICS.name):
                return []
            return [_measurement(row) for row in sql.execute(statements.last_measurements(most), key=table)]

        return self._call(once, self.noting)

    def due(self, now: datetime) -> list[str]:
        """Read them, the longest due first."""

        def once(sql: Transaction) -> list[str]:
            return list(sql.execute(statements.DUE_ALERTS, now=now).scalars()) if sql.has(ALERTS.name) else []

        return self._call(once, self.noting)

    def outstanding(self) -> int:
        """Count them; there are none where no alert was ever raised."""
        return self._call(lambda sql: sql.number(statements.COUNT_PENDING) if sql.has(ALERTS.name) else 0, self.noting)

    def take(self, alert_id: str, now: datetime) -> Alert | None:
        """Update the row that nobody has a lease on: the database makes the one winner."""

        def once(sql: Transaction) -> Alert | None:
            taken = sql.execute(statements.TAKE_ALERT, id=alert_id, now=now, until=now + LEASE).rowcount
            return _alert(sql.execute(statements.FIND_ALERT, id=alert_id).one()) if taken else None

        return self._of_alert(alert_id, once)

    def settle(self, alert_id: str, now: datetime) -> None:
        """Update both rows in one transaction."""

        def once(sql: Transaction) -> None:
            for row in sql.execute(statements.FIND_ALERT, id=alert_id).all():
                sql.execute(statements.SETTLE_ALERT, id=alert_id, now=now)
                alert = _alert(row)
                if alert.is_of_measurement:
                    sql.execute(statements.SETTLE_MEASUREMENT, key=alert.table, run=alert.run_id)

        self._of_alert(alert_id, once)

    def put_off(self, alert_id: str, until: datetime) -> None:
        """Update the row."""

        def once(sql: Transaction) -> None:
            sql.execute(statements.PUT_OFF_ALERT, id=alert_id, until=until)

        self._of_alert(alert_id, once)

    def _of_alert[Answer](self, alert_id: str, work: Callable[[Transaction], Answer]) -> Answer | None:
        """Do the work under the lock of an alert; None where there is no table, so no alert either."""

        def once(sql: Transaction) -> Answer | None:
            sql.lock(f"{ALERTS.name}:{alert_id[:200]}")
            return work(sql) if sql.has(ALERTS.name) else None

        return self._call(once, self.noting)

    def _call[Answer](self, work: Callable[[Transaction], Answer], retry: RetryPolicy) -> Answer:
        try:
            return self.database.call(work, retry)
        except Denied as error:
            cure = f"An administrator runs {ADMINISTRATORS_FILE}, which makes the tables and grants what is needed."
            raise Denied(f"{error} {cure}") from error


@dataclass(slots=True)
class _Written:
    """What the tries of one call wrote: the commit of one may have come through though its answer was lost."""

    measurements: list[Measurement] = field(default_factory=list)
    alert_id: str = ""


@dataclass(frozen=True, slots=True)
class _SqlMetricsTransaction:
    sql: Transaction
    table_key: str
    written: _Written

    def recorded(self, run_id: str) -> Measurement | None:
        row = self.sql.execute(statements.MEASUREMENT_OF, key=self.table_key, run=run_id).one_or_none()
        return None if row is None else _measurement(row)

    def wrote(self, recorded: Measurement) -> bool:
        return recorded in self.written.measurements

    def counted(self, request: MeasureRequest, table: MeasuredTable) -> Counted:
        alike: dict[str, str] = {"key": self.table_key, "of_kind": request.kind}
        _require(self.sql, table, with_counts=request.window_id is not None)
        former = self.sql.execute(statements.LAST_TOTAL, **alike).scalar_one_or_none()
        delta, total = self._window(request.window_id, table) if request.window_id else self._whole(table, former or 0)
        recent = [(row[0], row[1]) for row in self.sql.execute(statements.RECENT, **alike)]
        return Counted(delta, total, self._history(alike), former is None, recent, self._waiting(request, table))

    def _waiting(self, request: MeasureRequest, table: MeasuredTable) -> int:
        if request.window_id is None:
            return 0
        return self.sql.number(statements.WAITING_IN_SPILL, of_window=request.window_id, of_stream=table.stream)

    def _history(self, alike: dict[str, str]) -> list[int]:
        level = self.sql.number(statements.NEWEST_LEVEL, **alike)
        good = self.sql.execute(statements.GOOD_DELTAS, level=level, **alike).scalars().all()
        of_level = self.sql.execute(statements.LEVEL_DELTAS, level=level, **alike).scalars().all() if level else ()
        return [*good, *of_level][:MOST_HISTORY]

    def _window(self, window_id: str, table: MeasuredTable) -> tuple[int, int]:
        delta = self.sql.number(statements.count_rows(table.table, of_window=True), of_window=window_id)
        return delta, self.sql.number(statements.SUM_WINDOWS, of_stream=table.stream, of_table=table.table)

    def _whole(self, table: MeasuredTable, former: int) -> tuple[int, int]:
        total = self.sql.number(statements.count_rows(table.table, of_window=False))
        return total - former, total

    def past_alerts(self) -> PastAlerts:
        past = self.sql.execute(statements.PAST_ALERTS, key=self.table_key, besides=self.written.alert_id)
        return PastAlerts({row[0]: row[1] for row in past})

    def record(self, measurement: Measurement, alert: Alert | None) -> None:
        self.written.measurements.append(measurement)
        entry = self.sql.number(statements.LAST_ENTRY, key=self.table_key) + 1
        self.sql.execute(statements.INSERT_MEASUREMENT, **_measurement_row(measurement, entry))
        if alert is not None:
            self._insert(alert)

    def post(self, alert: Alert) -> bool:
        if self.sql.execute(statements.FIND_ALERT, id=alert.id).one_or_none() is not None:
            return alert.id == self.written.alert_id
        self._insert(alert)
        return True

    def _insert(self, alert: Alert) -> None:
        self.written.alert_id = alert.id
        self.sql.execute(statements.INSERT_ALERT, **_alert_row(alert))


def _require(sql: Transaction, table: MeasuredTable, *, with_counts: bool) -> None:
    if sql.has(table.table, WINDOW_COUNTS.name if with_counts else None):
        return
    roles = {table.table: f"that METRICS_TABLES names for {table.key}", WINDOW_COUNTS.name: "that the lakehouse writes"}
    missing = WINDOW_COUNTS.name if sql.has(table.table) else table.table
    text = f"The table {missing}, {roles[missing]}, is not in the database, or this identity may not read it"
    raise Unavailable(f"{text}: {ADMINISTRATORS_FILE} holds the grants.")


def _measurement_row(measurement: Measurement, entry: int) -> dict[str, Parameter]:
    request, limits = measurement.request, measurement.limits
    return {
        "table_key": request.table,
        "run_id": request.run_id,
        "entry": entry,
        "rows_count_delta": measurement.rows_count_delta,
        "ingestion_date": request.ingestion_time.strftime("%Y-%m-%d"),
        "ingestion_time": request.ingestion_time.strftime("%H:%M:%S"),
        "all_ingested_rows": measurement.all_ingested_rows,
        "window_id": request.window_id,
        "kind": request.kind,
        "verdict": measurement.verdict,
        **{f"limit_{name}": limit for name, limit in asdict(limits).items()},
        "alert": measurement.alert,
        "measured_at": measurement.measured_at,
    }


def _alert_row(alert: Alert) -> dict[str, Parameter]:
    return {
        "alert_id": alert.id,
        "table_key": alert.table,
        "run_id": alert.run_id,
        "name": alert.name,
        "kind": alert.kind,
        "cause": alert.cause,
        "body": json.dumps(alert.body, ensure_ascii=False, separators=(",", ":")),
        "created_at": alert.created_at,
        "state": statements.PENDING,
        "attempts": alert.attempts,
        "next_try_at": alert.created_at,
    }


def _measurement(row: Row[*tuple[Any, ...]]) -> Measurement:
    at = datetime.fromisoformat(f"{row.ingestion_date} {row.ingestion_time}").replace(tzinfo=UTC)
    request = MeasureRequest(row.table_key, row.run_id, at, row.window_id)
    limits = Limits(row.limit_floor, row.limit_low, row.limit_high, row.limit_median, row.limit_based_on)
    return Measurement(
        request, row.rows_count_delta, row.all_ingested_rows, row.verdict, limits, row.alert, row.measured_at
    )


def _alert(row: Row[*tuple[Any, ...]]) -> Alert:
    body = json.loads(row.body)
    return Alert(row.alert_id, row.name, row.kind, row.table_key, row.cause, body, row.created_at, row.attempts)
