"""Which alert a measurement or a run gives rise to, what it says, and when sending it is tried again."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from shared.domain.volumes.measurement import GOOD, LEVEL_ROW, NEW_LEVEL, AlertState, Measurement, Verdict

type AlertKind = Literal["alert", "recovery", "run_failed", "unbalanced", "window_lost", "spill_dead", "stream_alert"]
type IncidentKind = Literal["run_failed", "unbalanced", "window_lost", "spill_dead", "stream_alert"]

LEASE: Final = timedelta(minutes=2)
"""How long a sender has an alert for itself: longer than any sending may take."""

RECOVERY: Final = "recovery"
"""The cause that recoveries are remembered by."""

_ENDS: Final = frozenset({RECOVERY, NEW_LEVEL})
"""The causes that end an alarm: afterwards nothing is wrong any more, and what goes wrong then is news."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to a person; its id `<table>:<run>:<kind>` is the same however often it is sent.

    name: the recipient's, the NAME of ALERT_<NAME>_URL. cause: what the quiet period goes by, a verdict or the
    kind of an incident. body: the JSON that the Logic App gets. attempts: how often sending it was begun.
    """

    id: str
    name: str
    kind: AlertKind
    table: str
    cause: str
    body: Mapping[str, Any]
    created_at: datetime
    attempts: int = 0

    @property
    def run_id(self) -> str:
        """Give the run that the alert is about, out of the id."""
        return self.id.removeprefix(f"{self.table}:").removesuffix(f":{self.kind}")

    @property
    def is_of_measurement(self) -> bool:
        """Say whether the alert came of a measurement, whose row then shows the alert's state."""
        return self.kind in {"alert", "recovery"}


@dataclass(frozen=True, slots=True)
class PastAlerts:
    """The alerts that were raised for a table before.

    newest: when the last alert of each cause was raised, `recovery` among them; suppressed ones are not in it.
    """

    newest: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunIncident:
    """What is wrong with a run beside its volume: it failed, or its window does not add up or was not ingested.

    Or records of a stream are such as a person must know of at once; their reason is all that is said of them.

    table: a key of METRICS_TABLES, or what the quiet period is counted for. name: the recipient's. at: the run's time
    of ingestion, in UTC. reason: plain words. run_id: the run's, or the id of the orchestration that was to ingest the
    window.
    counts: the rows of the window and those of the whole table, where they were measured.
    """

    kind: IncidentKind
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

    name: the recipient's. quiet: how long the same verdict raises no further alert. healthy: false where something else
    is wrong with the run, so that a good volume is no recovery.
    """
    kind, state = _kind_and_state(measurement.verdict, past, measurement.measured_at, quiet, healthy=healthy)
    decided = replace(measurement, alert=state)
    return decided, _of_measurement(decided, kind, name) if kind and state == "pending" else None


def decide_incident(incident: RunIncident, past: PastAlerts, now: datetime, quiet: timedelta) -> Alert | None:
    """Give the alert of an incident, or None where one of its kind was raised for the table in the quiet period."""
    if _is_quiet(incident.kind, past, now, quiet):
        return None
    return Alert(
        id=f"{incident.table}:{incident.run_id}:{incident.kind}",
        name=incident.name,
        kind=incident.kind,
        table=incident.table,
        cause=incident.kind,
        body=_incident_body(incident),
        created_at=now,
    )


def alert_id_of(measurement: Measurement) -> str:
    """Give the id of the alert that a measurement raises, if it raises one."""
    kind: AlertKind = "recovery" if measurement.verdict in GOOD else "alert"
    return f"{measurement.request.table}:{measurement.request.run_id}:{kind}"


def next_try(attempts: int, now: datetime) -> datetime:
    """Say when an alert whose sending failed that often (at least once) is tried again: 1 min, doubling to 1 h."""
    factor: int = 2 ** min(attempts - 1, _MOST_DOUBLINGS)
    return now + min(_FIRST_WAIT * factor, _LONGEST_WAIT)


def _kind_and_state(
    verdict: Verdict, past: PastAlerts, now: datetime, quiet: timedelta, *, healthy: bool
) -> tuple[AlertKind | None, AlertState]:
    if verdict == NEW_LEVEL:
        return "alert", "pending"
    if verdict not in GOOD:
        return "alert", "suppressed" if _is_quiet(verdict, past, now, quiet) else "pending"
    if healthy and _is_in_alarm(past):
        return "recovery", "pending"
    return None, "none"


def _is_quiet(cause: str, past: PastAlerts, now: datetime, quiet: timedelta) -> bool:
    """Say whether an alert of the cause was raised in the quiet period, and the alarm has not ended since."""
    raised, ended = past.newest.get(cause), _end_of_alarm(past)
    return raised is not None and now - raised < quiet and (ended is None or raised > ended)


def _is_in_alarm(past: PastAlerts) -> bool:
    """Say whether an alert was raised since the last alarm ended."""
    alarms = [raised for cause, raised in past.newest.items() if cause not in _ENDS]
    ended = _end_of_alarm(past)
    return bool(alarms) and (ended is None or max(alarms) > ended)


def _end_of_alarm(past: PastAlerts) -> datetime | None:
    return max((raised for cause, raised in past.newest.items() if cause in _ENDS), default=None)


def _of_measurement(measurement: Measurement, kind: AlertKind, name: str) -> Alert:
    request, alert_id = measurement.request, alert_id_of(measurement)
    cause = RECOVERY if kind == "recovery" else measurement.verdict
    body = {
        "alert_id": alert_id,
        "kind": kind,
        "cause": cause,
        "table": request.table,
        "run_id": request.run_id,
        "window": request.window_id,
        **_date_and_time(request.ingestion_time),
        **_counts(measurement.rows_count_delta, measurement.all_ingested_rows),
        "limits": asdict(measurement.limits),
        "message": _describe_measurement(measurement, kind),
    }
    return Alert(alert_id, name, kind, request.table, cause, body, measurement.measured_at)


def _incident_body(incident: RunIncident) -> dict[str, Any]:
    return {
        "alert_id": f"{incident.table}:{incident.run_id}:{incident.kind}",
        "kind": incident.kind,
        "cause": incident.kind,
        "table": incident.table,
        "run_id": incident.run_id,
        "window": incident.window_id,
        **_date_and_time(incident.at),
        **(_counts(*incident.counts) if incident.counts else {}),
        "limits": None,
        "message": _describe_incident(incident),
    }


def _date_and_time(at: datetime) -> dict[str, str]:
    return {"ingestion_date": f"{at:%Y-%m-%d}", "ingestion_time": f"{at:%H:%M:%S}"}


def _counts(delta: int, total: int) -> dict[str, int]:
    return {"rows_count_delta": delta, "current_ingestion_table_state": total}


def _describe_measurement(measurement: Measurement, kind: AlertKind) -> str:
    request, delta = measurement.request, measurement.rows_count_delta
    where = "since the measurement before" if request.window_id is None else f"in window {request.window_id}"
    if measurement.verdict == "negative":
        return f"Table {request.table} lost {_rows(-delta)} {where}, measured for run {request.run_id}."
    found = f"{_rows(delta)} {where}, measured for run {request.run_id}"
    if kind == "recovery":
        return f"Table {request.table} has recovered: it got {found}, which is a normal volume."
    sentence = f"Table {request.table} got {found}, {_beyond(measurement)}"
    if measurement.verdict != NEW_LEVEL:
        return f"{sentence}.{describe_waiting(measurement)}"
    return f"{sentence}, as {LEVEL_ROW} times in a row now: the level has changed. From now on such a volume is normal."


def describe_waiting(measurement: Measurement) -> str:
    """Say how many records are missing because they wait in the spill, as a sentence to go on with; else nothing."""
    waiting = measurement.waiting
    return f" {_rows(waiting)} of it still {'waits' if waiting == 1 else 'wait'} in the spill." if waiting else ""


def _beyond(measurement: Measurement) -> str:
    limits = measurement.limits
    if limits.high is not None and measurement.rows_count_delta > limits.high:
        return f"more than the {math.floor(limits.high):,} that are normal for it"
    return f"fewer than the {math.ceil(max(limits.floor, limits.low or 0)):,} that are expected of it"


def _describe_incident(incident: RunIncident) -> str:
    what = f"table {incident.table}" if incident.window_id is None else f"window {incident.window_id}"
    reason = " ".join(incident.reason.split())[:_MOST_REASON]
    if incident.kind == "run_failed":
        return f"The enrichment of {what} failed in run {incident.run_id}: {reason}"
    if incident.kind == "window_lost":
        return f"{what[0].upper()}{what[1:]} was not ingested: {reason}"
    if incident.kind == "stream_alert":
        return reason
    if incident.kind == "spill_dead":
        return f"Records of {what} can't be delivered to their hub: {reason}"
    return f"The counts of {what} do not add up after run {incident.run_id}: {reason}"


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_MOST_DOUBLINGS = 6
_MOST_REASON = 500
