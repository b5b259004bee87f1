"""A run is measured once: counted, judged and committed with its alert, which is sent afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared import telemetry
from shared.clients.logic_app.alert_sender import AlertSender
from shared.clients.sql.stores import Metrics, MetricsTransaction
from shared.clients.storage.windows import Ledger
from shared.domain.instants import utc_text
from shared.domain.volumes.alert import alert_id_of, decide_alert, describe_waiting
from shared.domain.volumes.measurement import MeasuredTable, Measurement, MeasureRequest, measured
from shared.domain.windows.window import feed_of
from shared.errors import RequestRejected
from shared.flows.request_windows import existing_window
from shared.flows.send_alerts import send_alert
from shared.signals.metrics import VERDICTS
from shared.signals.recording import record, record_span

MOST_LISTED: Final = 50
"""How many measurements a list shows at most."""

_ALERT_MESSAGES: Final = {
    "none": "",
    "pending": " The alert could not be sent yet; it is tried again.",
    "sent": " Alert sent.",
    "suppressed": " The same alert was sent a short while ago, so not again.",
}


@dataclass(frozen=True, slots=True)
class MetricsTools:
    """What measuring needs. quiet: how long the same verdict raises no further alert. clock: the time in UTC."""

    tables: Mapping[str, MeasuredTable]
    ledger: Ledger
    metrics: Metrics
    alert_sender: AlertSender
    clock: Callable[[], datetime]
    quiet: timedelta


def measure(tools: MetricsTools, request: MeasureRequest, *, healthy: bool = True) -> dict[str, Any]:
    """Measure a table for a run, or answer what was recorded for that run before; send the alert that it raises.

    healthy: false where something else is wrong with the run, so that a good volume is no recovery. Raises
    RequestRejected where the table or the window is not known, and where the run was measured by another request; and
    as Metrics and Ledger do.
    """
    with telemetry.about(window=request.window_id or "-", table=request.table, run=request.run_id):
        return _measure(tools, request, healthy=healthy)


def _measure(tools: MetricsTools, request: MeasureRequest, *, healthy: bool) -> dict[str, Any]:
    table, began = _table(tools, request.table), tools.clock()
    _require_window(tools, request)
    measurement, is_new = tools.metrics.transact(
        table.key, lambda tx: _measure_once(tools, tx, request, table, healthy=healthy), counts_rows=True
    )
    if not is_new:
        _require_same(measurement.request, request)
        return _response(tools, measurement, "repeated")
    _record(measurement, began, tools.clock())
    if measurement.alert == "pending":
        state = send_alert(tools.metrics, tools.alert_sender, alert_id_of(measurement), tools.clock)
        measurement = replace(measurement, alert=state)
    return _response(tools, measurement, "recorded")


def _record(measurement: Measurement, began: datetime, ended: datetime) -> None:
    window_id = measurement.request.window_id or ""
    record(VERDICTS, 1, feed=feed_of(window_id), verdict=measurement.verdict)
    if window_id:
        about = {"table": measurement.request.table, "verdict": measurement.verdict}
        record_span("measurement", window_id, began, ended, run=measurement.request.run_id, **about)


def list_measurements(tools: MetricsTools, table: str | None) -> dict[str, Any]:
    """List the last measurements of a table, newest first, at most 50; raises RequestRejected, and as Metrics."""
    key = _table(tools, table or "").key
    found = tools.metrics.last(key, MOST_LISTED)
    return {"table": key, "measurements": [_listed(measurement) for measurement in found]}


def _measure_once(
    tools: MetricsTools, tx: MetricsTransaction, request: MeasureRequest, table: MeasuredTable, *, healthy: bool
) -> tuple[Measurement, bool]:
    """Give the measurement of a run, and whether this call made it."""
    recorded = tx.recorded(request.run_id)
    if recorded is not None:
        return recorded, tx.wrote(recorded)
    counted, past = tx.counted(request, table), tx.past_alerts()
    healthy = healthy and not counted.waiting

    measurement, alert = measured(request, table, counted, tools.clock(), healthy=healthy), None
    if tools.alert_sender.has_recipient(table.alert):
        measurement, alert = decide_alert(measurement, past, name=table.alert, quiet=tools.quiet, healthy=healthy)

    tx.record(measurement, alert)
    return measurement, True


def _table(tools: MetricsTools, key: str) -> MeasuredTable:
    if key not in tools.tables:
        known = ", ".join(sorted(tools.tables)) or "none: METRICS_TABLES is not set"
        rule = f"must be one of those that may be measured ({known}); it is {key[:40]!r}"
        raise RequestRejected.of_field("table", rule)
    return tools.tables[key]


def _require_window(tools: MetricsTools, request: MeasureRequest) -> None:
    if request.window_id is not None:
        existing_window(tools.ledger, request.window_id, field="window")


def _require_same(recorded: MeasureRequest, request: MeasureRequest) -> None:
    if recorded != request:
        former = f"window {recorded.window_id} at {utc_text(recorded.ingestion_time)}"
        message = f"Run {request.run_id} of table {request.table} was measured with another body: {former}."
        raise RequestRejected("conflict", "run_conflict", message, "run_id")


def _response(tools: MetricsTools, measurement: Measurement, status: str) -> dict[str, Any]:
    return {"status": status, **_result(measurement), "message": _message(tools, measurement)}


def _listed(measurement: Measurement) -> dict[str, Any]:
    return {
        **_result(measurement),
        "ingestion_time": utc_text(measurement.request.ingestion_time),
        "measured_at": utc_text(measurement.measured_at),
    }


def _result(measurement: Measurement) -> dict[str, Any]:
    return {
        "table": measurement.request.table,
        "run_id": measurement.request.run_id,
        "window": measurement.request.window_id,
        "rows_count_delta": measurement.rows_count_delta,
        "all_ingested_rows": measurement.all_ingested_rows,
        "limits": asdict(measurement.limits),
        "verdict": measurement.verdict,
        "alert": measurement.alert,
    }


def _message(tools: MetricsTools, measurement: Measurement) -> str:
    request, name = measurement.request, tools.tables[measurement.request.table].alert
    where = f"in window {request.window_id}" if request.window_id else "since the measurement before"
    found = f"{measurement.rows_count_delta:,} rows {where}, {measurement.all_ingested_rows:,} in all: "
    unset = f" No alert is sent: ALERT_{name.upper()}_URL is not set."
    note = "" if tools.alert_sender.has_recipient(name) else unset
    waiting = describe_waiting(measurement)
    return f"{found}{measurement.verdict}.{waiting}{_ALERT_MESSAGES[measurement.alert]}{note}"
