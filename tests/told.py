"""What was recorded for Application Insights, in the memory of a test."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.clients.application_insights.exporting import PrescribedIds
from shared.signals.metrics import Metric
from shared.signals.recording import NOBODY, Recorder, tell_to


@dataclass(frozen=True)
class Told:
    """What was recorded since the beginning."""

    reader: InMemoryMetricReader
    kept: InMemorySpanExporter

    def series(self) -> dict[str, list[tuple[Mapping[str, Any], float]]]:
        """Give, by metric, the dimensions and the value of each series; of a histogram the sum."""
        resources = self.reader.get_metrics_data().resource_metrics
        metrics = [one for each in resources for scope in each.scope_metrics for one in scope.metrics]
        return {metric.name: [_series(point) for point in metric.data.data_points] for metric in metrics}

    def of(self, metric: Metric, **dimensions: str) -> float:
        """Give the value of one series; raises KeyError where there is none."""
        found = [value for attributes, value in self.series().get(metric.name, []) if attributes == dimensions]
        if not found:
            raise KeyError(f"{metric.name} has no series of {dimensions}.")
        return found[0]

    def spans(self, name: str = "") -> list[ReadableSpan]:
        """Give the spans, of that name if one is given."""
        return [span for span in self.kept.get_finished_spans() if name in ("", span.name)]


def _series(point: Any) -> tuple[Mapping[str, Any], float]:
    return dict(point.attributes), point.sum if hasattr(point, "sum") else point.value


@contextlib.contextmanager
def telling(**configured: set[str]) -> Iterator[Told]:
    """Record for the length of a block; `configured` are feeds and streams, as `feed` and `stream`."""
    told = Told(InMemoryMetricReader(), InMemorySpanExporter())
    metrics, spans = MeterProvider([told.reader]), TracerProvider(id_generator=PrescribedIds())
    spans.add_span_processor(SimpleSpanProcessor(told.kept))
    known = {name: frozenset(values) for name, values in configured.items()}
    tell_to(Recorder.of(metrics.get_meter("test"), spans.get_tracer("test"), known))
    try:
        yield told
    finally:
        tell_to(NOBODY)
        metrics.shutdown()
        spans.shutdown()
