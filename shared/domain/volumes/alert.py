"""Which alert a measurement or a run gives rise to, what it tells, and when it is tried again."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from shared.domain.volumes.measurement import GOOD, AlertState, Measurement, Verdict

type AlertKind = Literal["alert", "recovery", "run_failed", "unbalanced"]
type TroubleKind = Literal["run_failed", "unbalanced"]

LEASE: Final = timedelta(minutes=2)
"""How long a sender has an alert for itself: longer than any sending may take."""

RECOVERY: Final = "recovery"
"""The cause that recoveries are remembered by."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to a person; its id `<table>:<run>:<kind>` is the same however often it is sent.

    name: whom to tell, the NAME of ALERT_<NAME>_URL. cause: what the quiet period goes by, a verdict, `run_failed` or
    `unbalanced`. body: the JSON that the Logic App gets. attempts: how often sending it was begun.
    """

    id: str
    name: str
    kind: AlertKind
    table: str
    cause: str
    body: Mapping[str, Any]
    created_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class PastAlerts:
    """What was told of a table before.

    newest: when the last alert of each cause was raised, `recovery` among them; suppressed ones are not in it.
    """

    newest: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a run beside its volume: it failed, or its window does not add up.

    table: a key of METRICS_TABLES. name: whom to tell. at: the run's time of ingestion, in UTC. reason: plain words.
    counts: the rows of the window and those of the whole table, where they were measured.
    """

    kind: TroubleKind
    table: str
    name: str
    run_id: str
    at: datetime
    reason: str
    window_id: str | None = None
    counts: tuple[int, int] | None = None


def decide_alert(
    measurement: Measurement, past: PastAlerts, *, name: str, quiet: timedelta, healthy: bool = True
) -> tuple[Measurement, Alert | None]:
    """Give the measurement with the state of its alert, and the alert where there is one to send.

    name: whom to tell. quiet: how long the same verdict is not told again. healthy: false where the run itself is in
    trouble, so that a good volume is no recovery.
    """
    kind, state = _kind_and_state(measurement.verdict, past, measurement.measured_at, quiet, healthy=healthy)
    decided = replace(measurement, alert=state)
    return decided, _of_measurement(decided, kind, name) if kind and state == "pending" else None


def decide_trouble(trouble: Trouble, past: PastAlerts, now: datetime, quiet: timedelta) -> Alert | None:
    """Give the alert that tells a trouble, or None where the same kind was told of the table in the quiet period."""
    if _is_quiet(trouble.kind, past, now, quiet):
        return None
    return Alert(
        id=f"{trouble.table}:{trouble.run_id}:{trouble.kind}",
        name=trouble.name,
        kind=trouble.kind,
        table=trouble.table,
        cause=trouble.kind,
        body=_trouble_body(trouble),
        created_at=now,
    )


def next_try(attempts: int, now: datetime) -> datetime:
    """Say when an alert whose sending failed that often (at least once) is tried again: 1 min, doubling to 1 h."""
    factor: int = 2 ** min(attempts - 1, _MOST_DOUBLINGS)
    return now + min(_FIRST_WAIT * factor, _LONGEST_WAIT)


def _kind_and_state(
    verdict: Verdict, past: PastAlerts, now: datetime, quiet: timedelta, *, healthy: bool
) -> tuple[AlertKind | None, AlertState]:
    if verdict not in GOOD:
        return "alert", "suppressed" if _is_quiet(verdict, past, now, quiet) else "pending"
    if healthy and _is_in_alarm(past):
        return "recovery", "pending"
    return None, "none"


def _is_quiet(cause: str, past: PastAlerts, now: datetime, quiet: timedelta) -> bool:
    told = past.newest.get(cause)
    return told is not None and now - told < quiet


def _is_in_alarm(past: PastAlerts) -> bool:
    """Say whether a person was alarmed since the last recovery."""
    alarms = [told for cause, told in past.newest.items() if cause != RECOVERY]
    recovered = past.newest.get(RECOVERY)
    return bool(alarms) and (recovered is None or max(alarms) > recovered)


def _of_measurement(measurement: Measurement, kind: AlertKind, name: str) -> Alert:
    order = measurement.order
    alert_id = f"{order.table}:{order.run_id}:{kind}"
    cause = RECOVERY if kind == "recovery" else measurement.verdict
    body = {
        "alert_id": alert_id,
        "kind": kind,
        "cause": cause,
        "table": order.table,
        "run_id": order.run_id,
        "window": order.window_id,
        **_date_and_time(order.ingestion_time),
        **_counts(measurement.rows_count_delta, measurement.all_ingested_rows),
        "limits": asdict(measurement.limits),
        "message": _measured_words(measurement, kind),
    }
    return Alert(alert_id, name, kind, order.table, cause, body, measurement.measured_at)


def _trouble_body(trouble: Trouble) -> dict[str, Any]:
    return {
        "alert_id": f"{trouble.table}:{trouble.run_id}:{trouble.kind}",
        "kind": trouble.kind,
        "cause": trouble.kind,
        "table": trouble.table,
        "run_id": trouble.run_id,
        "window": trouble.window_id,
        **_date_and_time(trouble.at),
        **(_counts(*trouble.counts) if trouble.counts else {}),
        "limits": None,
        "message": _trouble_words(trouble),
    }


def _date_and_time(at: datetime) -> dict[str, str]:
    return {"ingestion_date": f"{at:%Y-%m-%d}", "ingestion_time": f"{at:%H:%M:%S}"}


def _counts(delta: int, total: int) -> dict[str, int]:
    return {"rows_count_delta": delta, "current_ingestion_table_state": total}


def _measured_words(measurement: Measurement, kind: AlertKind) -> str:
    order, delta = measurement.order, measurement.rows_count_delta
    where = "since the measurement before" if order.window_id is None else f"in window {order.window_id}"
    if measurement.verdict == "negative":
        return f"Table {order.table} lost {_rows(-delta)} {where}, measured for run {order.run_id}."
    found = f"{_rows(delta)} {where}, measured for run {order.run_id}"
    if kind == "recovery":
        return f"Table {order.table} is well again: it got {found}, which is a normal volume."
    return f"Table {order.table} got {found}, {_beyond(measurement)}."


def _beyond(measurement: Measurement) -> str:
    limits = measurement.limits
    if measurement.verdict == "high":
        return f"more than the {math.floor(limits.high or 0):,} that are normal for it"
    return f"fewer than the {math.ceil(max(limits.floor, limits.low or 0)):,} that are expected of it"


def _trouble_words(trouble: Trouble) -> str:
    what = f"table {trouble.table}" if trouble.window_id is None else f"window {trouble.window_id}"
    reason = " ".join(trouble.reason.split())[:_MOST_REASON]
    if trouble.kind == "run_failed":
        return f"The enrichment of {what} failed in run {trouble.run_id}: {reason}"
    return f"The counts of {what} do not add up after run {trouble.run_id}: {reason}"


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_MOST_DOUBLINGS = 6
_MOST_REASON = 500
