"""Lines of the log on their way to Application Insights: the text as it is, and each field as a property."""

import logging
import threading
import traceback
from collections.abc import Iterator
from typing import Final

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber
from opentelemetry.context import Context, get_current
from opentelemetry.util.types import AnyValue

from shared.signals.recording import plain
from shared.signals.window_trace import below

EXPORTERS_THREADS: Final = "Otel"
"""How the names of OpenTelemetry's own threads begin."""

_SEVERITIES: Final = (
    (logging.CRITICAL, SeverityNumber.FATAL),
    (logging.ERROR, SeverityNumber.ERROR),
    (logging.WARNING, SeverityNumber.WARN),
    (logging.INFO, SeverityNumber.INFO),
)


class LineHandler(logging.Handler):
    """Hands each line to OpenTelemetry: one that names a window is part of that window's trace."""

    def __init__(self, provider: LoggerProvider) -> None:
        """Hand lines to the loggers of this provider."""
        super().__init__()
        self._provider = provider
        self.addFilter(not_of_an_exporter)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a line on; whatever fails is as in any handler of the log."""
        try:
            self._provider.get_logger(record.name).emit(_as_record(record))
        except Exception:  # noqa: BLE001 - a line that can't be handed on must cost no work
            self.handleError(record)


def not_of_an_exporter(record: logging.LogRecord) -> bool:
    """Say whether a line is the app's: what is said while lines are sent would have to be sent, too."""
    return not (record.threadName or threading.current_thread().name).startswith(EXPORTERS_THREADS)


def _as_record(record: logging.LogRecord) -> LogRecord:
    fields = getattr(record, "fields", {})
    attributes: dict[str, AnyValue] = {name: plain(value) for name, value in fields.items() if value is not None}
    return LogRecord(
        timestamp=int(record.created * 1e9),
        context=_context(fields.get("window")),
        severity_text=record.levelname,
        severity_number=_severity(record.levelno),
        body=record.getMessage(),
        attributes=attributes | dict(_fault(record)),
    )


def _severity(level: int) -> SeverityNumber:
    return next((number for least, number in _SEVERITIES if level >= least), SeverityNumber.DEBUG)


def _context(window_id: object) -> Context:
    """Give the trace of the window, where there is one, else that of the invocation, as the worker set it."""
    return below(window_id) if isinstance(window_id, str) and "-" in window_id[1:] else get_current()


def _fault(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    kind, fault, trace = record.exc_info or (None, None, None)
    if kind is not None:
        yield "exception.type", kind.__name__
        yield "exception.message", f"{fault}"
        yield "exception.stacktrace", "".join(traceback.format_exception(kind, fault, trace))
