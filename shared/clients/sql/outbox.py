"""Alerts as rows of `enrichment_alerts`: pending until they are sent, and in one sender's hands at a time."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from shared.clients.sql.tables import ALERTS, prepare, read, written
from shared.clients.sql.transaction import Transaction
from shared.domain.volumes.alert import LEASE, Alert, PastAlerts


def post(
    sql: Transaction, table: str, decide: Callable[[PastAlerts], Alert | None], *, again: bool = False
) -> Alert | None:
    """Insert the alert that `decide` gives unless its id is there.

    again: `decide` gave it before, in a try whose commit may have come through: then the alert there is the caller's.
    """
    prepare(sql, table)
    alert = decide(past_alerts(sql, table))
    if alert is None:
        return None
    if sql.rows("find_alert", alert.id):
        return alert if again else None
    insert_alert(sql, alert)
    return alert


def insert_alert(sql: Transaction, alert: Alert) -> None:
    """Insert a pending alert that is due at once."""
    body = json.dumps(alert.body, ensure_ascii=False, separators=(",", ":"))
    at = written(alert.created_at)
    run_id = run_of(alert)
    sql.change("insert_alert", alert.id, alert.table, run_id, alert.name, alert.kind, alert.cause, body, at, at)


def past_alerts(sql: Transaction, table: str) -> PastAlerts:
    """Read when the last alert of each cause was raised for a table key."""
    return PastAlerts({cause: read(at) for cause, at in sql.rows("past_alerts", table)})


def due(sql: Transaction, now: datetime) -> list[str]:
    """Read the ids of alerts to be sent now, the longest due first."""
    if not sql.has(ALERTS):
        return []
    at = written(now)
    return [row[0] for row in sql.rows("due_alerts", at, at)]


def take(sql: Transaction, alert_id: str, now: datetime) -> Alert | None:
    """Take a lease unless somebody has one; gives the alert with this attempt counted."""
    if not _lock(sql, alert_id) or not sql.change("take_alert", written(now + LEASE), alert_id, written(now)):
        return None
    return _alert(sql.rows("find_alert", alert_id)[0])


def settle(sql: Transaction, alert_id: str, now: datetime) -> None:
    """Note that an alert was sent, in the row of its measurement too where it came of one."""
    if not _lock(sql, alert_id):
        return
    for row in sql.rows("find_alert", alert_id):
        sql.change("settle_alert", written(now), alert_id)
        alert = _alert(row)
        if of_measurement(alert):
            sql.change("settle_measurement", alert.table, run_of(alert))


def put_off(sql: Transaction, alert_id: str, until: datetime) -> None:
    """Give the lease back."""
    if _lock(sql, alert_id):
        sql.change("put_off_alert", written(until), alert_id)


def run_of(alert: Alert) -> str:
    """Give the run that an alert is about, out of its id."""
    return alert.id.removeprefix(f"{alert.table}:").removesuffix(f":{alert.kind}")


def of_measurement(alert: Alert) -> bool:
    """Say whether an alert came of a measurement, whose row then shows what became of it."""
    return alert.kind in {"alert", "recovery"}


def _lock(sql: Transaction, alert_id: str) -> bool:
    """Take the lock of an alert; False where there is no table, so no alert either."""
    sql.lock(f"{ALERTS}:{alert_id[:200]}")
    return sql.has(ALERTS)


def _alert(row: Sequence[Any]) -> Alert:
    alert_id, table, name, kind, cause, body, created_at, attempts = row
    return Alert(alert_id, name, kind, table, cause, json.loads(body), read(created_at), attempts)
