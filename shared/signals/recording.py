"""How flows tell numbers and spans: thin functions over OpenTelemetry, which do nothing until `tell_to` is called.

The providers are our own and never the process's, so the Azure SDKs and Durable Functions, which ask for those, tell
nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from opentelemetry.context import Context
from opentelemetry.metrics import Meter
from opentelemetry.trace import NoOpTracer, SpanKind, Status, StatusCode, Tracer

from shared.domain.windows.window import feed_of, microseconds, window_of
from shared.signals.metrics import CLOSED, CONFIGURED, METRICS, OTHER, Metric
from shared.signals.window_trace import below, root_id, trace_id, try_id

type Configured = Mapping[str, frozenset[str]]
"""The feeds and streams that there are, by the name of their dimension."""

type _Instrument = Callable[[float, Mapping[str, str]], None]

prescribed: ContextVar[tuple[int, int] | None] = ContextVar("trace and id of the span that is begun", default=None)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where numbers and spans go. configured: the values of the dimensions `feed` and `stream`."""

    instruments: Mapping[str, _Instrument]
    tracer: Tracer
    configured: Configured

    @classmethod
    def of(cls, meter: Meter, tracer: Tracer, configured: Configured) -> "Recorder":
        """Make each instrument of the table."""
        return cls({metric.name: _instrument(meter, metric) for metric in METRICS}, tracer, configured)

    def closed(self, dimension: str, value: object) -> str:
        """Give a value of a dimension, `other` where its set has none such: so no id ever becomes a series."""
        known = self.configured.get(dimension, frozenset()) if dimension in CONFIGURED else CLOSED[dimension]
        return f"{value}" if value in known else OTHER


NOBODY: Final = Recorder({}, NoOpTracer(), {})
_target: Final[list[Recorder]] = [NOBODY]


def tell_to(recorder: Recorder) -> None:
    """Let all that is recorded from now on, by any thread, go there; NOBODY drops it."""
    _target[0] = recorder


def record(metric: Metric, amount: float, **dimensions: object) -> None:
    """Add to a counter, set a gauge, or add one value to a histogram; names each of the metric's dimensions."""
    recorder = _target[0]
    if recorder is NOBODY:
        return
    attributes = {name: recorder.closed(name, dimensions[name]) for name in metric.dimensions}
    recorder.instruments[metric.name](amount, attributes)


def record_window(window_id: str, began: datetime, ended: datetime, *, failure: str = "", **about: object) -> None:
    """Tell the root of a window's trace: the window itself."""
    with _prescribed(window_id, root_id(window_id)):
        _tell("window", window_id, (began, ended), Context(), failure, about)


def record_try(attempt_id: str, began: datetime, ended: datetime, *, failure: str = "", **about: object) -> None:
    """Tell a try at a slice, which its sends are below; `attempt_id` is what events call it."""
    window_id = window_of(attempt_id)
    with _prescribed(window_id, try_id(attempt_id)):
        _tell("slice", window_id, (began, ended), below(window_id), failure, _part_of(attempt_id) | about)


def record_span(
    name: str, window_id: str, began: datetime, ended: datetime, *, failure: str = "", **about: object
) -> None:
    """Tell something that was done for a window, below its root."""
    _tell(name, window_id, (began, ended), below(window_id), failure, about)


@contextmanager
def sending(attempt_id: str, stream: str, sink: str, clock: Callable[[], datetime]) -> Iterator[None]:
    """Tell the block as the sending of a stream to one of its destinations, for a try at a slice, or for a closing."""
    began, failure = clock(), ""
    try:
        yield
    except BaseException as error:
        failure = type(error).__name__
        raise
    finally:
        window_id, part = window_of(attempt_id), _part_of(attempt_id)
        parent = below(window_id, None if part["slice"] == "close" else try_id(attempt_id))
        _tell("send", window_id, (began, clock()), parent, failure, {**part, "stream": stream, "sink": sink})


def _tell(
    name: str,
    window_id: str,
    times: tuple[datetime, datetime],
    parent: Context,
    failure: str,
    about: Mapping[str, object],
) -> None:
    began, ended = (microseconds(time) * 1000 for time in times)
    known = {
        "window": window_id,
        "feed": feed_of(window_id),
        **about,
        **({"reason": failure} if failure else {}),
    }
    span = _target[0].tracer.start_span(
        name,
        context=parent,
        kind=SpanKind.SERVER if name == "window" else SpanKind.INTERNAL,
        attributes={key: plain(value) for key, value in known.items() if value is not None},
        start_time=began,
    )
    span.set_status(Status(StatusCode.ERROR, failure) if failure else Status(StatusCode.OK))
    span.end(max(began, ended))


@contextmanager
def _prescribed(window_id: str, span_id: int) -> Iterator[None]:
    token = prescribed.set((trace_id(window_id), span_id))
    try:
        yield
    finally:
        prescribed.reset(token)


def plain(value: object) -> str | bool | int | float:
    """Give a value as an attribute may be: a number stays one, all else becomes text."""
    return value if isinstance(value, str | bool | int | float) else f"{value}"


def _part_of(attempt_id: str) -> dict[str, object]:
    """Read `<window id>/<slice or close>.<attempt>`."""
    part, _, attempt = attempt_id.partition("/")[2].rpartition(".")
    return {"slice": int(part) if part.isdecimal() else part, "attempt": int(attempt) if attempt.isdecimal() else 0}


def _instrument(meter: Meter, metric: Metric) -> _Instrument:
    match metric.kind:
        case "counter":
            return meter.create_counter(metric.name, metric.unit, metric.meaning).add
        case "gauge":
            return meter.create_gauge(metric.name, metric.unit, metric.meaning).set
        case "histogram":
            return meter.create_histogram(metric.name, metric.unit, metric.meaning).record
