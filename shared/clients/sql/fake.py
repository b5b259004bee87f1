"""The stores of the SQL database in memory, for tests."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from shared.clients.sql.columns import Row
from shared.clients.sql.records import RowFormat, rows_of
from shared.clients.sql.stores import ChangedPart, MetricsTransaction
from shared.contracts import Contract
from shared.domain.delivery import Delivery, Event, Refusal
from shared.domain.volumes.alert import LEASE, Alert, PastAlerts
from shared.domain.volumes.measurement import (
    GOOD,
    LEVEL_ROW,
    MOST_HISTORY,
    NEW_LEVEL,
    Counted,
    MeasuredTable,
    Measurement,
    MeasureRequest,
    Verdict,
)
from shared.errors import SendFailed, Unavailable


@dataclass(slots=True)
class FakeCounts:
    """The counts of windows, `None` for no table; raises `failure` where it is set."""

    windows: dict[str, dict[str, dict[str, int]]] | None = field(default_factory=dict)
    failure: Exception | None = None

    def of_window(self, window_id: str) -> dict[str, dict[str, int]] | None:
        if self.failure is not None:
            raise self.failure
        return None if self.windows is None else self.windows.get(window_id, {})


@dataclass(slots=True)
class FakeMetrics:
    """Measurements and alerts in memory, with the same races: everything happens under one lock.

    tables: the rows of each database table by window. waiting: records in the spill by window, of whichever stream.
    failure: is raised by every verb where it is set. commits: what becomes of the next commits, one each: `fails` has
    no effect, of `unanswered` only the answer is lost; both are tried again, as the database's client does.
    """

    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    failure: Exception | None = None
    commits: list[Literal["fails", "unanswered"]] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    alerts: dict[str, "_Held"] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def transact[Answer](
        self, table: str, work: Callable[[MetricsTransaction], Answer], *, counts_rows: bool = False
    ) -> Answer:
        del counts_rows  # nothing takes long here
        tries: list[_FakeTransaction] = []
        while True:
            with self._open():
                tries.append(_FakeTransaction(self, table, former=tuple(tries)))
                answer = work(tries[-1])
                failure = self.commits.pop(0) if self.commits else None
                if failure != "fails":
                    tries[-1].commit()
                if failure is None:
                    return answer

    def last(self, table: str, most: int) -> list[Measurement]:
        with self._open():
            return [one for one in reversed(self.measurements) if one.request.table == table][:most]

    def due(self, now: datetime) -> list[str]:
        with self._open():
            free = [held for held in self.alerts.values() if held.is_free(now) and held.next_try_at <= now]
            return [held.alert.id for held in sorted(free, key=lambda held: (held.next_try_at, held.alert.id))]

    def outstanding(self) -> int:
        with self._open():
            return sum(held.sent_at is None for held in self.alerts.values())

    def take(self, alert_id: str, now: datetime) -> Alert | None:
        with self._open():
            held = self.alerts.get(alert_id)
            if held is None or not held.is_free(now):
                return None
            held.alert = replace(held.alert, attempts=held.alert.attempts + 1)
            held.leased_until = now + LEASE
            return held.alert

    def settle(self, alert_id: str, now: datetime) -> None:
        with self._open():
            if alert_id in self.alerts:
                held = self.alerts[alert_id]
                held.sent_at = held.sent_at or now
                self.measurements[:] = [_settled(one, held.alert) for one in self.measurements]

    def put_off(self, alert_id: str, until: datetime) -> None:
        with self._open():
            if alert_id in self.alerts:
                self.alerts[alert_id].next_try_at, self.alerts[alert_id].leased_until = until, None

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self.lock:
            if self.failure is not None:
                raise self.failure
            yield


@dataclass(slots=True)
class FakeRows:
    """The table of a stream in memory, by key; `failures` are those of the next sends, one each.

    `unavailable`: nothing is stored. `unknown`: all is stored, but the answer is lost. `refused`: the database refuses
    the last row of the send, whatever it is.
    """

    contract: Contract
    stored: dict[tuple[object, ...], Row] = field(default_factory=dict)
    failures: list[Literal["unavailable", "unknown", "refused"]] = field(default_factory=list)
    changes: dict[tuple[object, ...], int] = field(default_factory=dict)  # by key, the number of the last send

    async def send(self, events: Sequence[Event]) -> Delivery:
        row_format = RowFormat.of(self.contract)
        rows, delivery = rows_of(events, row_format)
        failure = self.failures.pop(0) if self.failures else None
        if failure == "unavailable":
            raise SendFailed(f"Table {self.contract.stream}: it is away", delivery)
        if failure == "refused" and rows:
            rows.pop()
            delivery = delivery + Delivery(refusals=(Refusal(1, "the database can't hold it"),))
        self.stored.update(zip(row_format.keys_of(rows), rows, strict=True))
        self.changes |= dict.fromkeys(row_format.keys_of(rows), max(self.changes.values(), default=0) + 1)
        if failure == "unknown":
            raise SendFailed(f"Table {self.contract.stream}: no answer", delivery + Delivery(unknown=len(rows)))
        return delivery + Delivery(accepted=len(rows), events=len(events) if rows else 0)


@dataclass(slots=True)
class FakeChangedRows:
    """What changed in a table in memory; each send is a transaction of its own. `failure` is raised where it is set."""

    table: FakeRows
    failure: Exception | None = None

    def after(self, position: int, most: int) -> ChangedPart:
        if self.failure is not None:
            raise self.failure
        newest = max(self.table.changes.values(), default=0)
        begin = position if position <= newest else 0
        found = sorted((number, key) for key, number in self.table.changes.items() if number > begin)
        to = found[most - 1][0] if len(found) >= most else newest
        rows = [_typed(self.table.contract, self.table.stored[key]) for number, key in found if number <= to]
        return ChangedPart(rows, begin, to, has_more=to < newest)


def _typed(contract: Contract, row: Row) -> tuple[object, ...]:
    """Read what drivers take as the database gives it."""
    read: dict[str, Callable[[Any], object]] = {
        "number": Decimal,
        "date-time": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    }
    return tuple(
        read[column.kind](value) if column.kind in read and value is not None else value
        for column, value in zip(contract.columns, row, strict=True)
    )


@dataclass(slots=True)
class _FakeTransaction:
    """What one try reads of the store and would write to it; `former` are the tries before it of the same call."""

    store: FakeMetrics
    table: str
    former: tuple["_FakeTransaction", ...]
    measurements: list[Measurement] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    def recorded(self, run_id: str) -> Measurement | None:
        return next((one for one in self._alike() if one.request.run_id == run_id), None)

    def wrote(self, recorded: Measurement) -> bool:
        return any(recorded in former.measurements for former in self.former)

    def counted(self, request: MeasureRequest, table: MeasuredTable) -> Counted:
        if table.table not in self.store.tables:
            raise Unavailable(f"The table {table.table} is not in the database.")
        alike = [one for one in self._alike() if one.request.kind == request.kind]
        rows = self.store.tables[table.table]
        total = sum(rows.values())
        former = alike[-1].all_ingested_rows if alike else 0
        delta = total - former if request.window_id is None else rows.get(request.window_id, 0)
        seen: list[tuple[Verdict, int]] = [(one.verdict, one.rows_count_delta) for one in reversed(alike)]
        waiting = self.store.waiting.get(request.window_id or "", 0)
        return Counted(delta, total, _history(seen), not alike, seen[: LEVEL_ROW - 1], waiting)

    def past_alerts(self) -> PastAlerts:
        every = [held.alert for held in self.store.alerts.values() if held.alert.table == self.table]
        past = [alert for alert in every if not self._posted(alert)]
        return PastAlerts({alert.cause: alert.created_at for alert in sorted(past, key=lambda one: one.created_at)})

    def record(self, measurement: Measurement, alert: Alert | None) -> None:
        self.measurements.append(measurement)
        self.alerts.extend([alert] if alert else [])

    def post(self, alert: Alert) -> bool:
        if alert.id in self.store.alerts:
            return self._posted(alert)
        self.alerts.append(alert)
        return True

    def commit(self) -> None:
        self.store.measurements.extend(self.measurements)
        self.store.alerts.update({alert.id: _Held(alert, alert.created_at) for alert in self.alerts})

    def _alike(self) -> list[Measurement]:
        return [one for one in self.store.measurements if one.request.table == self.table]

    def _posted(self, alert: Alert) -> bool:
        return any(alert.id == one.id for former in self.former for one in former.alerts)


def _history(seen: Sequence[tuple[Verdict, int]]) -> list[int]:
    """Take the deltas of good measurements, newest first, as far back as the newest level, and those that made it."""
    made = next((at for at, (verdict, _) in enumerate(seen) if verdict == NEW_LEVEL), len(seen))
    good = [delta for verdict, delta in seen[:made] if verdict in GOOD]
    return [*good, *(delta for _, delta in seen[made : made + LEVEL_ROW])][:MOST_HISTORY]


@dataclass(slots=True)
class _Held:
    alert: Alert
    next_try_at: datetime
    leased_until: datetime | None = None
    sent_at: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        return self.sent_at is None and (self.leased_until is None or self.leased_until <= now)


def _settled(measurement: Measurement, alert: Alert) -> Measurement:
    request = measurement.request
    mine = alert.is_of_measurement and (request.table, request.run_id) == (alert.table, alert.run_id)
    return replace(measurement, alert="sent") if mine and measurement.alert == "pending" else measurement
