"""Application Insights: sends what the app says to its ingestion endpoint, in batches, from threads of its own."""

import atexit
import logging
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from azure.monitor.opentelemetry.exporter import (
    AzureMonitorLogExporter,
    AzureMonitorMetricExporter,
    AzureMonitorTraceExporter,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from shared.clients.application_insights.lines import LineHandler, not_of_an_exporter
from shared.clients.identity.credentials import BlockingIdentity, Identity
from shared.signals.recording import NOBODY, Configured, Recorder, prescribed, tell_to

MOST_KEPT: Final = 4096
"""So many lines, and as many spans, wait at most while the endpoint does not answer; the oldest are dropped first."""

_BATCH: Final = 512
_DELAY: Final = timedelta(seconds=5)
_LAST_CHANCE: Final = 5.0
"""Seconds that the end of the process waits for what is not sent yet."""

_SILENT: Final = ("opentelemetry", "azure.monitor.opentelemetry")
"""The loggers of what sends: a line that says that lines can't be sent would be one more that can't."""

_LIMITS: Final[dict[str, Any]] = {
    "timeout": 5.0,  # seconds, to connect
    "read_timeout": 10.0,
    "retry_total": 5,
    "retry_backoff_max": 20.0,
    "disable_offline_storage": True,  # no files on a disk that all functions share, and no threads that look after them
    "instrumentation_collection": True,  # no statistics about the exporter itself, neither for Microsoft nor for us
}


@dataclass(frozen=True, slots=True)
class InsightsAccount:
    """Where telemetry goes, and as whom. identity: None where the endpoint asks nobody to log in.

    role: under which name the app's records stand there. every: how often metrics are sent. ca_bundle: a PEM file of
    trusted authorities, None for the system's.
    """

    connection: str = field(repr=False)
    identity: Identity | None
    role: str
    every: timedelta
    ca_bundle: str | None = None


class PrescribedIds(RandomIdGenerator):
    """Gives a span the ids that are prescribed for it, and random ones where none are."""

    def generate_trace_id(self) -> int:
        """Give the id of a trace that is begun."""
        ids = prescribed.get()
        return ids[0] if ids else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Give the id of a span."""
        ids = prescribed.get()
        return ids[1] if ids else super().generate_span_id()


@dataclass(frozen=True, slots=True)
class Exporting:
    """What sends, until `end`."""

    lines: LoggerProvider
    metrics: MeterProvider
    spans: TracerProvider
    handler: logging.Handler

    def end(self) -> None:
        """Send what is left, for some seconds at the most."""
        logging.getLogger().removeHandler(self.handler)
        tell_to(NOBODY)
        closing = threading.Thread(target=self._shut_down, name="OtelEnd", daemon=True)
        closing.start()
        closing.join(_LAST_CHANCE)
        atexit.unregister(self.end)

    def _shut_down(self) -> None:
        for provider in (self.lines, self.spans, self.metrics):
            provider.shutdown()


def start_exporting(account: InsightsAccount, configured: Configured) -> Exporting:
    """Send from now on each line of the log, and all that is recorded."""
    resource = Resource({SERVICE_NAME: account.role})
    exporting = Exporting(*_providers(account, resource))
    _quieten()
    logging.getLogger().addHandler(exporting.handler)
    meter, tracer = exporting.metrics.get_meter("ingestion"), exporting.spans.get_tracer("ingestion")
    tell_to(Recorder.of(meter, tracer, configured))
    atexit.register(exporting.end)
    return exporting


def _providers(
    account: InsightsAccount, resource: Resource
) -> tuple[LoggerProvider, MeterProvider, TracerProvider, logging.Handler]:
    credential = BlockingIdentity(account.identity) if account.identity else None
    trusted = {"connection_verify": account.ca_bundle} if account.ca_bundle else {}
    given = {**_LIMITS, **trusted, "connection_string": account.connection, "credential": credential}
    batches: dict[str, Any] = {
        "max_queue_size": MOST_KEPT,
        "max_export_batch_size": _BATCH,
        "schedule_delay_millis": _DELAY.total_seconds() * 1000,
    }
    lines = LoggerProvider(resource, shutdown_on_exit=False)
    lines.add_log_record_processor(BatchLogRecordProcessor(AzureMonitorLogExporter(**given), **batches))
    spans = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=PrescribedIds())
    spans.add_span_processor(BatchSpanProcessor(AzureMonitorTraceExporter(**given), **batches))
    every = account.every.total_seconds() * 1000
    reader = PeriodicExportingMetricReader(AzureMonitorMetricExporter(**given), export_interval_millis=every)
    return lines, MeterProvider([reader], resource, shutdown_on_exit=False), spans, LineHandler(lines)


def _quieten() -> None:
    """Keep what is said of sending out of the log, whoever says it in the threads that send."""
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for handler in logging.getLogger().handlers:
        handler.addFilter(not_of_an_exporter)
