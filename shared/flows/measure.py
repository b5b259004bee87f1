"""A run is measured once: counted, judged and committed with its alert, which is sent afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared.clients.logic_app.alert_sender import AlertDoor
from shared.clients.sql.metrics import Metrics, Outbox
from shared.clients.storage.windows import Ledger, known_window
from shared.domain.volumes.alert import Alert, PastAlerts, decide_alert
from shared.domain.volumes.measurement import Counted, MeasuredTable, Measurement, MeasureOrder, judge, limits_of
from shared.errors import RequestRejected
from shared.flows.send_alerts import send_alert
from shared.http.bodies import rejected

MOST_LISTED: Final = 50
"""How many measurements a list shows at most."""

_ALERT_WORDS: Final = {
    "none": "",
    "pending": " Telling so did not succeed yet; it is tried again.",
    "sent": " Somebody was told.",
    "suppressed": " It was told a short while ago, so not again.",
}


@dataclass(frozen=True, slots=True)
class MetricsTools:
    """What measuring needs. quiet: how long the same verdict is not told again. clock: the time in UTC."""

    tables: Mapping[str, MeasuredTable]
    ledger: Ledger
    metrics: Metrics
    outbox: Outbox
    door: AlertDoor
    clock: Callable[[], datetime]
    quiet: timedelta


def measure(tools: MetricsTools, order: MeasureOrder, *, healthy: bool = True) -> dict[str, Any]:
    """Measure a table for a run, or answer what was recorded for that run before; send the alert that it gives.

    healthy: false where the run itself is in trouble, so that a good volume is no recovery. Raises RequestRejected:
    400 for an unknown table, 404 for an unknown window, 409 for a run that was measured by another order; and as
    Metrics and Ledger do.
    """
    table = _table(tools, order.table)
    _require_window(tools, order)
    alerts: list[Alert | None] = []

    def decide(counted: Counted, past: PastAlerts) -> tuple[Measurement, Alert | None]:
        measurement, alert = _decided(tools, order, counted, past, healthy=healthy)
        alerts.append(alert)
        return measurement, alert

    measurement, repeated = tools.metrics.measure(order, table, decide)
    if repeated:
        return _repeated(tools, order, measurement)
    return _answer(tools, _sent(tools, measurement, alerts[-1]), "recorded")


def list_measurements(tools: MetricsTools, table: str | None) -> dict[str, Any]:
    """List the last measurements of a table, newest first, at most 50; raises RequestRejected (400) and as Metrics."""
    key = _table(tools, table or "").key
    found = tools.metrics.last(key, MOST_LISTED)
    return {"table": key, "measurements": [_listed(measurement) for measurement in found]}


def _table(tools: MetricsTools, key: str) -> MeasuredTable:
    if key not in tools.tables:
        known = ", ".join(sorted(tools.tables)) or "none: METRICS_TABLES is not set"
        raise rejected("table", f"must be one of those that may be measured ({known}); it is {key[:40]!r}")
    return tools.tables[key]


def _require_window(tools: MetricsTools, order: MeasureOrder) -> None:
    if order.window_id is not None and known_window(tools.ledger, order.window_id) is None:
        raise RequestRejected(404, "unknown_window", f"There is no window {order.window_id[:80]!r}.", "window")


def _decided(
    tools: MetricsTools, order: MeasureOrder, counted: Counted, past: PastAlerts, *, healthy: bool
) -> tuple[Measurement, Alert | None]:
    table = tools.tables[order.table]
    limits = limits_of(table.floor, counted.history)
    verdict = judge(counted.delta, limits, is_first=counted.is_first)
    found = Measurement(order, counted.delta, counted.total, verdict, limits, "none", tools.clock())
    if not tools.door.knows(table.alert):
        return found, None
    return decide_alert(found, past, name=table.alert, quiet=tools.quiet, healthy=healthy)


def _sent(tools: MetricsTools, measurement: Measurement, alert: Alert | None) -> Measurement:
    if alert is None:
        return measurement
    return replace(measurement, alert=send_alert(tools.outbox, tools.door, alert.id, tools.clock))


def _repeated(tools: MetricsTools, order: MeasureOrder, recorded: Measurement) -> dict[str, Any]:
    if recorded.order == order:
        return _answer(tools, recorded, "repeated")
    was = f"window {recorded.order.window_id} at {_shown(recorded.order.ingestion_time)}"
    message = f"Run {order.run_id} of table {order.table} was measured with another body: {was}."
    raise RequestRejected(409, "run_conflict", message, "run_id")


def _answer(tools: MetricsTools, measurement: Measurement, status: str) -> dict[str, Any]:
    return {"status": status, **_found(measurement), "message": _words(tools, measurement)}


def _listed(measurement: Measurement) -> dict[str, Any]:
    return {
        **_found(measurement),
        "ingestion_time": _shown(measurement.order.ingestion_time),
        "measured_at": _shown(measurement.measured_at),
    }


def _found(measurement: Measurement) -> dict[str, Any]:
    return {
        "table": measurement.order.table,
        "run_id": measurement.order.run_id,
        "window": measurement.order.window_id,
        "rows_count_delta": measurement.rows_count_delta,
        "all_ingested_rows": measurement.all_ingested_rows,
        "limits": asdict(measurement.limits),
        "verdict": measurement.verdict,
        "alert": measurement.alert,
    }


def _words(tools: MetricsTools, measurement: Measurement) -> str:
    order, name = measurement.order, tools.tables[measurement.order.table].alert
    where = f"in window {order.window_id}" if order.window_id else "since the measurement before"
    found = f"{measurement.rows_count_delta:,} rows {where}, {measurement.all_ingested_rows:,} in all: "
    nobody = "" if tools.door.knows(name) else f" Nobody is told: ALERT_{name.upper()}_URL is not set."
    return f"{found}{measurement.verdict}.{_ALERT_WORDS[measurement.alert]}{nobody}"


def _shown(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
