"""Telemetry of one window as the app names it, by the official exporter."""

import time
from contextlib import ExitStack
from dataclasses import dataclass

from azure.monitor.opentelemetry.exporter import (
    AzureMonitorLogExporter,
    AzureMonitorMetricExporter,
    AzureMonitorTraceExporter,
)
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

WINDOW = "trades-20261128T050000Z"
RESOURCE = Resource.create({"service.name": "reactive-ingestion", "service.instance.id": "one"})
NOBODY_WAITS = {"retry_backoff_factor": 0.01}


def line(message, severity=SeverityNumber.INFO, **fields):
    """Build a line; a field named `exception_type` and the like is an attribute with dots."""
    attributes = {name.replace("exception_", "exception."): value for name, value in fields.items()}
    record = LogRecord(timestamp=time.time_ns(), severity_number=severity, body=message, attributes=attributes)
    return ReadableLogRecord(record, RESOURCE)


def line_exporter(endpoint, **options):
    """Build an exporter of lines. Without `storage_directory` it keeps nothing on disk."""
    stored = {"storage_min_retry_interval": 0} if "storage_directory" in options else {"disable_offline_storage": True}
    return AzureMonitorLogExporter(connection_string=endpoint.connection_string, **NOBODY_WAITS, **stored, **options)


@dataclass
class DemoWindow:
    """Sends the spans, metrics and lines of a window."""

    endpoint: object

    def send(self, *, feed="trades", window=WINDOW):
        self._spans(feed, window)
        self._metrics(feed)
        line_exporter(self.endpoint).export(
            [
                line(f"slice.sent feed={feed} slice=0", event="slice.sent", feed=feed, window=window, slice="0"),
                line(f"window.closed feed={feed}", event="window.closed", feed=feed, window=window),
            ]
        )

    def _spans(self, feed, window):
        provider = TracerProvider(resource=RESOURCE)
        exporter = self._exporter(AzureMonitorTraceExporter)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer, attributes = provider.get_tracer("ingestion"), {"feed": feed, "window": window}
        start = tracer.start_as_current_span
        with start("window", attributes=attributes | {"state": "closed"}):
            with ExitStack() as stack:
                stack.enter_context(start("slice", attributes=attributes | {"slice": "0", "attempt": "1"}))
                sent = stack.enter_context(start("send", kind=SpanKind.CLIENT, attributes={"stream": "trades"}))
                sent.set_status(Status(StatusCode.ERROR, "away"))
            tracer.start_span("run", attributes={"run": "7", "url": "https://host/#job/1/run/7"}).end()
        provider.shutdown()

    def _metrics(self, feed):
        reader = PeriodicExportingMetricReader(self._exporter(AzureMonitorMetricExporter), 1e9)
        provider = MeterProvider([reader], resource=RESOURCE)
        meter = provider.get_meter("ingestion")
        meter.create_counter("ingestion.windows.ended").add(1, {"feed": feed, "state": "closed"})
        sends = meter.create_histogram("ingestion.send.duration", unit="s")
        for seconds in (0.25, 0.5):
            sends.record(seconds, {"stream": "trades", "sink": "hub"})
        meter.create_gauge("ingestion.waiting.age").set(0, {"feed": feed, "stage": "opening"})
        provider.shutdown()

    def _exporter(self, kind):
        return kind(connection_string=self.endpoint.connection_string, disable_offline_storage=True, **NOBODY_WAITS)
