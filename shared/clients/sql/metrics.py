"""Measurements and alerts in the SQL database: a run is measured once, and its alert is committed with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from shared.clients.identity.credentials import Identity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.sql import measuring as metrics_sql
from shared.clients.sql import outbox as metrics_outbox
from shared.clients.sql.database import Denied, SqlDatabase, sql_database
from shared.clients.sql.measuring import Decide
from shared.clients.sql.tables import ADMINISTRATORS_FILE
from shared.clients.sql.transaction import Transaction, require_table_name
from shared.domain.volumes.alert import LEASE, Alert, PastAlerts
from shared.domain.volumes.measurement import GOOD, MOST_HISTORY, Counted, MeasuredTable, Measurement, MeasureOrder
from shared.errors import Unavailable

COUNTING: Final = Timeouts(total=80.0, attempt=60.0, ordinary=Backoff(0.5, 10.0), throttled=Backoff(2.0, 10.0))
"""A count of a large table may take a minute, and a paused database of Azure one to wake up.

With the ledger before it and the alert behind it a caller still has its answer within 200 s.
"""

NOTING: Final = Timeouts(total=10.0, attempt=5.0, ordinary=Backoff(0.2, 2.0), throttled=Backoff(1.0, 4.0))
"""One row by its key: what can't be noted now is noted by the timer that comes again."""


class Metrics(Protocol):
    """Measurements, one for each table key and run; every verb raises Unavailable, LoginRefused or SettingsError."""

    def measure(self, order: MeasureOrder, table: MeasuredTable, decide: Decide) -> tuple[Measurement, bool]:
        """Count, decide and write in one transaction that holds the lock of the table key.

        True: the run was recorded before, perhaps by another order: compare the measurement's with yours. `decide` may
        be called again where the database failed in passing.
        """

    def last(self, table: str, most: int) -> list[Measurement]:
        """List the measurements of a table key, newest first, at most so many."""


class Outbox(Protocol):
    """Alerts until they are sent; every verb raises Unavailable, LoginRefused or SettingsError."""

    def post(self, table: str, decide: Callable[[PastAlerts], Alert | None]) -> Alert | None:
        """Keep the alert that `decide` gives, under the lock of the table key.

        None: there is nothing new to tell, also where an alert of that id is there already.
        """

    def due(self, now: datetime) -> list[str]:
        """List the ids of alerts that are pending, that nobody has a lease on, and whose next try has come."""

    def take(self, alert_id: str, now: datetime) -> Alert | None:
        """Take a lease on an alert and count the attempt; None where another has it, or it is sent or unknown."""

    def settle(self, alert_id: str, now: datetime) -> None:
        """Note that an alert was sent, in its measurement too."""

    def put_off(self, alert_id: str, until: datetime) -> None:
        """Give the lease back: the alert stays pending and is due again then."""


@dataclass(frozen=True, slots=True)
class SqlMetrics:
    """Measurements in `enrichment_pipeline_metrics`, alerts in `enrichment_alerts`; both are made where allowed.

    counting, noting: how patient a measurement is, and all the rest.
    """

    database: SqlDatabase
    counting: RetryPolicy = field(default_factory=lambda: RetryPolicy(COUNTING))
    noting: RetryPolicy = field(default_factory=lambda: RetryPolicy(NOTING))

    def measure(self, order: MeasureOrder, table: MeasuredTable, decide: Decide) -> tuple[Measurement, bool]:
        """Measure; a commit whose answer was lost is known again by what was decided."""
        require_table_name(table.table)
        decided: list[Measurement] = []

        def noted(counted: Counted, past: PastAlerts) -> tuple[Measurement, Alert | None]:
            measurement, alert = decide(counted, past)
            decided.append(measurement)
            return measurement, alert

        found, repeated = self._call(lambda sql: metrics_sql.measure(sql, order, table, noted), self.counting)
        return found, repeated and found not in decided

    def last(self, table: str, most: int) -> list[Measurement]:
        """Read them."""
        return self._call(lambda sql: metrics_sql.last(sql, table, most))

    def post(self, table: str, decide: Callable[[PastAlerts], Alert | None]) -> Alert | None:
        """Insert; a commit whose answer was lost is known again by what was decided."""
        decided: list[Alert] = []

        def noted(past: PastAlerts) -> Alert | None:
            alert = decided[-1] if decided else decide(past)
            decided.extend([alert] if alert else [])
            return alert

        return self._call(lambda sql: metrics_outbox.post(sql, table, noted, again=bool(decided)))

    def due(self, now: datetime) -> list[str]:
        """Read them."""
        return self._call(lambda sql: metrics_outbox.due(sql, now))

    def take(self, alert_id: str, now: datetime) -> Alert | None:
        """Update the row that nobody has a lease on: the database makes the one winner."""
        return self._call(lambda sql: metrics_outbox.take(sql, alert_id, now))

    def settle(self, alert_id: str, now: datetime) -> None:
        """Update both rows in one transaction."""
        self._call(lambda sql: metrics_outbox.settle(sql, alert_id, now))

    def put_off(self, alert_id: str, until: datetime) -> None:
        """Update the row."""
        self._call(lambda sql: metrics_outbox.put_off(sql, alert_id, until))

    def _call[Answer](self, work: Callable[[Transaction], Answer], persistence: RetryPolicy | None = None) -> Answer:
        try:
            return self.database.call(
                lambda connection, deadline: work(Transaction.of(connection, deadline)), persistence or self.noting
            )
        except Denied as error:
            cure = f"An administrator runs {ADMINISTRATORS_FILE}, which makes the tables and grants what is needed."
            raise Unavailable(f"{error} {cure}") from error


def sql_metrics(url: str, identity: Identity, *, odbc: Callable[[], Any] | None = None) -> SqlMetrics:
    """Give the measurements and alerts of a database; a SQLite file that is not there yet is made by the first write.

    url, identity, odbc and errors: as of `sql_database`.
    """
    return SqlMetrics(sql_database(url, identity, odbc=odbc, makes_file=True))


@dataclass(slots=True)
class FakeMetrics:
    """Measurements and alerts in memory, with the same races: everything happens under one lock.

    tables: the rows of each database table by window. failure: is raised by every verb where it is set.
    """

    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    failure: Exception | None = None
    measurements: list[Measurement] = field(default_factory=list)
    alerts: dict[str, "_Held"] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def measure(self, order: MeasureOrder, table: MeasuredTable, decide: Decide) -> tuple[Measurement, bool]:
        """Measure in place."""
        with self._open():
            for measurement in self.measurements:
                if (measurement.order.table, measurement.order.run_id) == (order.table, order.run_id):
                    return measurement, True
            measurement, alert = decide(self._counted(order, table), self._past(order.table))
            self.measurements.append(measurement)
            self._keep(alert)
            return measurement, False

    def last(self, table: str, most: int) -> list[Measurement]:
        """Look them up."""
        with self._open():
            return [one for one in reversed(self.measurements) if one.order.table == table][:most]

    def post(self, table: str, decide: Callable[[PastAlerts], Alert | None]) -> Alert | None:
        """Keep an alert."""
        with self._open():
            alert = decide(self._past(table))
            return self._keep(alert) if alert and alert.id not in self.alerts else None

    def due(self, now: datetime) -> list[str]:
        """Look them up."""
        with self._open():
            free = [held for held in self.alerts.values() if held.is_free(now) and held.next_try_at <= now]
            return [held.alert.id for held in sorted(free, key=lambda held: (held.next_try_at, held.alert.id))]

    def take(self, alert_id: str, now: datetime) -> Alert | None:
        """Take a lease in place."""
        with self._open():
            held = self.alerts.get(alert_id)
            if held is None or not held.is_free(now):
                return None
            held.alert = replace(held.alert, attempts=held.alert.attempts + 1)
            held.leased_until = now + LEASE
            return held.alert

    def settle(self, alert_id: str, now: datetime) -> None:
        """Note it in both places."""
        with self._open():
            if alert_id not in self.alerts:
                return
            held = self.alerts[alert_id]
            held.sent_at = held.sent_at or now
            self.measurements[:] = [_settled(one, held.alert) for one in self.measurements]

    def put_off(self, alert_id: str, until: datetime) -> None:
        """Give the lease back in place."""
        with self._open():
            if alert_id in self.alerts:
                self.alerts[alert_id].next_try_at, self.alerts[alert_id].leased_until = until, None

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self.lock:
            if self.failure is not None:
                raise self.failure
            yield

    def _counted(self, order: MeasureOrder, table: MeasuredTable) -> Counted:
        if table.table not in self.tables:
            raise Unavailable(f"The table {table.table} is not in the database.")
        alike = [one for one in self.measurements if one.order.table == order.table and one.order.kind == order.kind]
        rows = self.tables[table.table]
        total = sum(rows.values())
        former = alike[-1].all_ingested_rows if alike else 0
        delta = total - former if order.window_id is None else rows.get(order.window_id, 0)
        history = [one.rows_count_delta for one in reversed(alike) if one.verdict in GOOD][:MOST_HISTORY]
        return Counted(delta, total, history, is_first=not alike)

    def _past(self, table: str) -> PastAlerts:
        mine = [held.alert for held in self.alerts.values() if held.alert.table == table]
        return PastAlerts({alert.cause: alert.created_at for alert in sorted(mine, key=lambda one: one.created_at)})

    def _keep(self, alert: Alert | None) -> Alert | None:
        if alert is not None:
            self.alerts[alert.id] = _Held(alert, alert.created_at)
        return alert


@dataclass(slots=True)
class _Held:
    alert: Alert
    next_try_at: datetime
    leased_until: datetime | None = None
    sent_at: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        return self.sent_at is None and (self.leased_until is None or self.leased_until <= now)


def _settled(measurement: Measurement, alert: Alert) -> Measurement:
    mine = (measurement.order.table, measurement.order.run_id) == (alert.table, metrics_outbox.run_of(alert))
    told = mine and measurement.alert == "pending" and metrics_outbox.of_measurement(alert)
    return replace(measurement, alert="sent") if told else measurement
