"""The end of an enrichment: what arrived is measured once, and what went wrong raises an alert."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared import telemetry
from shared.clients.sql.stores import Counts
from shared.clients.storage.runs import RunLedger
from shared.domain.runs.run import RunRow, has_waited_too_long
from shared.domain.volumes.alert import Alert, IncidentKind, RunIncident
from shared.domain.volumes.measurement import RUN_ALERT, MeasuredTable, MeasureRequest
from shared.domain.volumes.reconciliation import describe_faults, verdict_of
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan, StreamPlan
from shared.errors import CorruptRow, SettingsError
from shared.flows.measure import MetricsTools, measure
from shared.flows.send_alerts import raise_alert

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReportTools:
    """What reporting a run needs of the world. drain_limit: how long what waits in the spill is no fault."""

    metrics: MetricsTools
    runs: RunLedger
    counts: Counts
    drain_limit: timedelta


def report_run(tools: ReportTools, window_id: str, number: int) -> dict[str, Any]:
    """Measure the table of a run that succeeded; alert of one that failed, and of a window that does not balance.

    A run succeeds when its window has ended, so a stream that nobody reconciled is as wrong as one that does not add
    up; one that waits for its spill is, too, where that is overdue. One that made room for a newer run is measured too,
    but what it left undone raises no alert. Idempotent by
    window and number, since a run is measured, and raises each alert, once. Raises Unavailable and LoginRefused.
    """
    row, run = _rows(tools, window_id, number)
    if run.state == "failed":
        return {"alert": _alert(tools, row, run, "run_failed", run.message)}
    if run.state == "superseded":
        quiet = replace(tools, metrics=replace(tools.metrics, alert_sender=_Nobody()))
        return {
            "measurements": [
                _measure(quiet, table, row, run, healthy=False) for table in _tables_of(tools.metrics, row)
            ]
        }
    if run.state != "succeeded":
        return {}
    counts = tools.counts.of_window(window_id) or {}
    overdue = has_waited_too_long(row, tools.metrics.clock(), tools.drain_limit)
    faults = describe_faults(counts, [stream.name for stream in _streams_of(row) if stream.hubs], overdue=overdue)
    measured = [_measure(tools, table, row, run, healthy=not faults) for table in _tables_of(tools.metrics, row)]
    if faults:
        _alert(tools, row, run, "unbalanced", faults)
    return {"measurements": measured, "reconciliation": verdict_of(counts)}


class _Nobody:
    """An AlertSender without recipients: what is measured raises no alert."""

    def has_recipient(self, name: str) -> bool:  # noqa: ARG002 - the same for all
        return False

    def send(self, alert: Alert) -> None:
        """Never asked to."""


def _measure(tools: ReportTools, table: MeasuredTable, row: WindowRow, run: RunRow, *, healthy: bool) -> dict[str, Any]:
    at = run.claimed_at.replace(microsecond=0)
    request = MeasureRequest(table.key, str(run.run_id), at, row.window.id)
    return measure(tools.metrics, request, healthy=healthy)


def alert_of_window(
    metrics: MetricsTools, row: WindowRow, kind: IncidentKind, run_id: str, at: datetime, reason: str
) -> str:
    """Raise one alert for a window, in the name of its first measured table, or of its streams where it has none.

    run_id, at: what went wrong with it, a run or an orchestration, and when that was claimed. Raises as Metrics does.
    """
    tables = _tables_of(metrics, row)
    streams = ", ".join(stream.name for stream in _streams_of(row)) or row.window.feed
    key, name = (tables[0].key, tables[0].alert) if tables else (streams, RUN_ALERT)
    incident = RunIncident(kind, key, name, run_id, at, reason, row.window.id)
    return raise_alert(metrics.metrics, metrics.alert_sender, incident, metrics.clock, metrics.quiet)


def alert_of_lost_window(tools: ReportTools | None, row: WindowRow) -> None:
    """Alert of a window that was not ingested."""
    _alert_of_window(tools, row, "window_lost", f"it ended as {row.state}. {row.reason}")


def alert_of_dead_spill(tools: ReportTools | None, row: WindowRow, reason: str) -> None:
    """Alert of records of a window that are spilled and can't be delivered."""
    _alert_of_window(tools, row, "spill_dead", reason)


def _alert_of_window(tools: ReportTools | None, row: WindowRow, kind: IncidentKind, reason: str) -> None:
    """Raise an alert; without a database, None, there is nowhere to keep one."""
    if tools is None:
        unset = SettingsError("SQL__url is not set: there is no database for alerts.")
        telemetry.error(logger, "window.no_alert", cause=unset, window=row.window.id, reason=reason)
    else:
        alert_of_window(tools.metrics, row, kind, row.instance, row.claimed_at, reason)


def _alert(tools: ReportTools, row: WindowRow, run: RunRow, kind: IncidentKind, reason: str) -> str:
    run_id = str(run.run_id or run.instance_id)
    return alert_of_window(tools.metrics, row, kind, run_id, run.claimed_at, reason)


def _tables_of(metrics: MetricsTools, row: WindowRow) -> list[MeasuredTable]:
    """Give the measured table of each of a window's streams that has one: of several the first."""
    tables = list(metrics.tables.values())
    found = (next((table for table in tables if table.stream == stream.name), None) for stream in _streams_of(row))
    return [table for table in found if table is not None]


def _streams_of(row: WindowRow) -> tuple[StreamPlan, ...]:
    """Give the streams of a window's plan; one that was missed has no plan."""
    return Plan.from_wire(dict(row.plan)).streams if row.plan else ()


def _rows(tools: ReportTools, window_id: str, number: int) -> tuple[WindowRow, RunRow]:
    row = tools.metrics.ledger.window(window_id)
    run = tools.runs.change(row.window, number, lambda _: None) if row else None
    if row is None or run is None:
        raise CorruptRow(f"Run {number} of window {window_id} is not in the ledger.")
    return row, run
