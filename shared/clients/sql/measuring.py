"""Measurements as rows of `enrichment_pipeline_metrics`: how they are counted, written and read."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from shared.clients.sql.outbox import insert_alert, past_alerts
from shared.clients.sql.tables import ADMINISTRATORS_FILE, METRICS, prepare, read, written
from shared.clients.sql.transaction import Cell, Transaction
from shared.domain.volumes.alert import Alert, PastAlerts
from shared.domain.volumes.measurement import MOST_HISTORY, Counted, Limits, MeasuredTable, Measurement, MeasureOrder
from shared.errors import Unavailable

_WINDOW_COUNTS: Final = "window_counts"

type Decide = Callable[[Counted, PastAlerts], tuple[Measurement, Alert | None]]


def measure(sql: Transaction, order: MeasureOrder, table: MeasuredTable, decide: Decide) -> tuple[Measurement, bool]:
    """Give a run's measurement, and whether it was there already."""
    prepare(sql, order.table)
    for row in sql.rows("find_measurement", order.table, order.run_id):
        return _measurement(row), True
    measurement, alert = decide(_counted(sql, order, table), past_alerts(sql, order.table))
    entry = sql.number("last_entry", order.table) + 1
    sql.change("insert_measurement", *_cells(measurement), order.kind, entry)
    if alert:
        insert_alert(sql, alert)
    return measurement, False


def last(sql: Transaction, table: str, most: int) -> list[Measurement]:
    """Read the measurements of a table key, newest first; none where nothing was ever measured."""
    if not sql.has(METRICS):
        return []
    return [_measurement(row) for row in sql.rows("last_measurements", table, most)]


def _counted(sql: Transaction, order: MeasureOrder, table: MeasuredTable) -> Counted:
    _require(sql, table, with_counts=order.window_id is not None)
    former = sql.rows("last_total", order.table, order.kind)
    delta, total = _window(sql, order.window_id, table) if order.window_id else _whole(sql, table, former)
    history = [row[0] for row in sql.rows("good_deltas", order.table, order.kind, MOST_HISTORY)]
    return Counted(delta, total, history, is_first=not former)


def _window(sql: Transaction, window_id: str, table: MeasuredTable) -> tuple[int, int]:
    delta = sql.number("count_window", window_id, table=table.table)
    return delta, sql.number("sum_windows", table.stream)


def _whole(sql: Transaction, table: MeasuredTable, former: Sequence[Sequence[Any]]) -> tuple[int, int]:
    total = sql.number("count_table", table=table.table)
    return total - (former[0][0] if former else 0), total


def _require(sql: Transaction, table: MeasuredTable, *, with_counts: bool) -> None:
    if sql.has(table.table, _WINDOW_COUNTS if with_counts else None):
        return
    roles = {table.table: f"that METRICS_TABLES names for {table.key}", _WINDOW_COUNTS: "that the lakehouse writes"}
    missing = _WINDOW_COUNTS if sql.has(table.table) else table.table
    text = f"The table {missing}, {roles[missing]}, is not in the database, or this identity may not read it"
    raise Unavailable(f"{text}: {ADMINISTRATORS_FILE} holds the grants.")


def _cells(measurement: Measurement) -> list[Cell]:
    order, limits = measurement.order, measurement.limits
    return [
        order.table,
        order.run_id,
        measurement.rows_count_delta,
        order.ingestion_time.strftime("%Y-%m-%d"),
        order.ingestion_time.strftime("%H:%M:%S"),
        measurement.all_ingested_rows,
        order.window_id,
        measurement.verdict,
        *(limits.floor, limits.low, limits.high, limits.median, limits.based_on),
        measurement.alert,
        written(measurement.measured_at),
    ]


def _measurement(row: Sequence[Any]) -> Measurement:
    table, run_id, delta, day, time, total, window_id, verdict, *limits, alert, at = row
    order = MeasureOrder(table, run_id, read(f"{day} {time}"), window_id)
    return Measurement(order, delta, total, verdict, Limits(*limits), alert, read(at))
