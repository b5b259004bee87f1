"""The metrics of the app: each with its name, unit and dimensions, whose values come from closed sets alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from shared.domain.runs.run import RUN_STATES
from shared.domain.volumes.alert import AlertKind
from shared.domain.volumes.measurement import Verdict
from shared.domain.windows.ledger_row import WINDOW_STATES

MetricKind = Literal["counter", "gauge", "histogram"]

Outcome = Literal["read", "accepted", "refused", "unknown", "spilled", "lost"]
"""What became of records."""

Stage = Literal["opening", "closing", "enrichment", "measurement"]
"""What a window may wait for."""

Telling = Literal["sent", "put_off", "no_recipient"]
"""What became of an alert when it was to be sent."""

Store = Literal["hub", "cosmos", "sql", "lake"]
"""Where records end."""

OTHER: Final = "other"
"""Stands for any value that is not in its dimension's set."""

TIMERS: Final = frozenset(
    {
        *("open_due_windows", "keep_in_order", "retry_pending_alerts", "mail_view_alerts", "write_daily_lookups"),
        *("write_reference_data", "bring_gold_up_to_date", "export_sql_rows"),
    }
)
"""The functions that a timer starts."""

CLOSED: Final[Mapping[str, frozenset[str]]] = {
    "timer": TIMERS,
    "state": frozenset(WINDOW_STATES) | frozenset(RUN_STATES),
    "outcome": frozenset(get_args(Outcome)) | frozenset(get_args(Telling)),
    "sink": frozenset(get_args(Store)),
    "stage": frozenset(get_args(Stage)),
    "verdict": frozenset(get_args(Verdict.__value__)),
    "kind": frozenset(get_args(AlertKind.__value__)),
}
"""The values of each dimension that code knows; those of `feed` and `stream` are the configuration's."""

CONFIGURED: Final = frozenset({"feed", "stream"})


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. unit: as UCUM writes it. dimensions: what its series differ by."""

    name: str
    kind: MetricKind
    unit: str
    meaning: str
    dimensions: tuple[str, ...] = ()


TICKS: Final = Metric("ingestion.ticks", "counter", "{tick}", "Ticks of a timer.", ("timer",))
WINDOWS: Final = Metric(
    "ingestion.windows", "gauge", "{window}", "Windows that have not ended, at housekeeping.", ("feed", "state")
)
WINDOWS_ENDED: Final = Metric(
    "ingestion.windows.ended", "counter", "{window}", "Windows that ended, by how.", ("feed", "state")
)
RECORDS: Final = Metric(
    "ingestion.records", "counter", "{record}", "What became of records.", ("feed", "stream", "outcome")
)
SEND_DURATION: Final = Metric("ingestion.send.duration", "histogram", "s", "How long a send took.", ("stream", "sink"))
GAP_DURATION: Final = Metric(
    "ingestion.gap.duration", "counter", "s", "Time in which a source brought nothing, where it is known.", ("feed",)
)
WAITING_AGE: Final = Metric(
    "ingestion.waiting.age", "gauge", "s", "How long past its time the oldest window is.", ("feed", "stage")
)
SPILL_RECORDS: Final = Metric("ingestion.spill.records", "gauge", "{record}", "Records that wait.", ("stream",))
SPILL_AGE: Final = Metric("ingestion.spill.age", "gauge", "s", "How long the oldest of them waits.", ("stream",))
RUN_DURATION: Final = Metric(
    "ingestion.run.duration", "histogram", "s", "From a run's claim to its end.", ("feed", "state")
)
VERDICTS: Final = Metric("ingestion.verdicts", "counter", "{verdict}", "Measurements.", ("feed", "verdict"))
ALERTS: Final = Metric("ingestion.alerts", "counter", "{alert}", "Alerts that were to be sent.", ("kind", "outcome"))
ALERTS_PENDING: Final = Metric("ingestion.alerts.pending", "gauge", "{alert}", "Alerts that are not sent yet.")
EVENTS_BILLED: Final = Metric(
    "ingestion.events.billed", "counter", "{event}", "Events as a hub bills them: one for each 64 KB.", ("stream",)
)

METRICS: Final = (
    *(TICKS, WINDOWS, WINDOWS_ENDED, RECORDS, SEND_DURATION, GAP_DURATION, WAITING_AGE),
    *(SPILL_RECORDS, SPILL_AGE, RUN_DURATION, VERDICTS, ALERTS, ALERTS_PENDING, EVENTS_BILLED),
)
