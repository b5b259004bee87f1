"""The end of an enrichment: what arrived is measured once, and a person is told of what went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.clients.sql.database import Counts
from shared.clients.storage.runs import RunLedger
from shared.domain.runs.run import RunRow
from shared.domain.volumes.alert import Trouble, TroubleKind
from shared.domain.volumes.measurement import RUN_ALERT, MeasuredTable, MeasureOrder
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan
from shared.errors import CorruptRow
from shared.flows.measure import MetricsTools, measure
from shared.flows.send_alerts import raise_alert
from shared.http.views import enrichment_view


@dataclass(frozen=True, slots=True)
class ReportTools:
    """What reporting a run needs of the world."""

    metrics: MetricsTools
    runs: RunLedger
    counts: Counts


def report_run(tools: ReportTools, window_id: str, number: int) -> dict[str, Any]:
    """Measure the table of a run that succeeded; alert of one that failed, and of a window that does not balance.

    Idempotent by window and number, since a run is measured, and told of, once. Raises Unavailable and LoginRefused.
    """
    row, run = _rows(tools, window_id, number)
    if run.state == "failed":
        return {"alert": _tell(tools, row, run, "run_failed", run.message)}
    if run.state != "succeeded":
        return {}
    view = enrichment_view([run], tools.counts.of_window(window_id) or {}, "")
    unbalanced = view["reconciliation"] == "unbalanced"
    measured = _measure(tools, row, run, healthy=not unbalanced)
    if unbalanced:
        _tell(tools, row, run, "unbalanced", _differences(view["counts"]))
    return measured | {"reconciliation": view["reconciliation"]}


def _measure(tools: ReportTools, row: WindowRow, run: RunRow, *, healthy: bool) -> dict[str, Any]:
    table = _table_of(tools, row)
    if table is None:
        return {}
    at = run.claimed_at.replace(microsecond=0)
    order = MeasureOrder(table.key, str(run.run_id), at, row.window.id)
    return dict(measure(tools.metrics, order, healthy=healthy))


def _tell(tools: ReportTools, row: WindowRow, run: RunRow, kind: TroubleKind, reason: str) -> str:
    table, run_id = _table_of(tools, row), str(run.run_id or run.instance_id)
    key, name = (table.key, table.alert) if table else (_stream_of(row), RUN_ALERT)
    trouble = Trouble(kind, key, name, run_id, run.claimed_at, reason, row.window.id)
    metrics = tools.metrics
    return raise_alert(metrics.outbox, metrics.door, trouble, metrics.clock, metrics.quiet)


def _table_of(tools: ReportTools, row: WindowRow) -> MeasuredTable | None:
    """Give the measured table whose rows come from a window's stream."""
    stream = _stream_of(row)
    return next((table for table in tools.metrics.tables.values() if table.stream == stream), None)


def _stream_of(row: WindowRow) -> str:
    return Plan.from_wire(dict(row.plan)).streams[0].name


def _differences(counts: Mapping[str, Mapping[str, Any]]) -> str:
    told = {stream: stages.get("difference", {}) for stream, stages in counts.items()}
    return "; ".join(f"{stream}: {name} by {rows}" for stream, found in told.items() for name, rows in found.items())


def _rows(tools: ReportTools, window_id: str, number: int) -> tuple[WindowRow, RunRow]:
    row = tools.metrics.ledger.window(window_id)
    run = tools.runs.change(row.window, number, lambda _: None) if row else None
    if row is None or run is None:
        raise CorruptRow(f"Run {number} of window {window_id} is not in the ledger.")
    return row, run
