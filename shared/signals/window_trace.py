"""The ids of a window's trace, derived from the window's id alone: any process that knows it tells of the same trace.

No context is carried from the timer to Databricks and back, so nothing that is lost on the way can break a trace.
"""

import hashlib

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def trace_id(window_id: str) -> int:
    """Give the first 16 bytes of the SHA-256 of a window's id."""
    return int.from_bytes(hashlib.sha256(window_id.encode()).digest()[:16])


def root_id(window_id: str) -> int:
    """Give the id of the span of the window itself: the 8 bytes after those of the trace."""
    return int.from_bytes(hashlib.sha256(window_id.encode()).digest()[16:24])


def try_id(attempt_id: str) -> int:
    """Give the id of the span of a try at a slice, or of a closing: 8 bytes of the SHA-256 of what events call it."""
    return int.from_bytes(hashlib.sha256(attempt_id.encode()).digest()[:8])


def below(window_id: str, span_id: int | None = None) -> Context:
    """Give the context in which something is a child of a span of the window's trace, of the root if none is named."""
    parent = root_id(window_id) if span_id is None else span_id
    known = SpanContext(trace_id(window_id), parent, is_remote=True, trace_flags=_SAMPLED)
    return set_span_in_context(NonRecordingSpan(known), Context())
