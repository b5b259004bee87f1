"""What a caller may ask of a drain, and how it is shown."""

from datetime import timedelta
from typing import Any

from shared.domain.drain import LONGEST, USUAL, Drained
from shared.domain.duration import format_duration
from shared.errors import RequestRejected
from shared.http.bodies import duration, json_object, known_fields
from shared.http.instants import written


def parse_drain_request(body: bytes) -> timedelta:
    """Read `{"length": "hh:mm:ss"}`, or nothing for the usual length; raises RequestRejected."""
    document = json_object(body) if body.strip() else {}
    known_fields(document, ["length"])
    if "length" not in document:
        return USUAL
    length = duration(document, "length")
    if not timedelta() < length <= LONGEST:
        rule = f"must be above zero and at most {format_duration(LONGEST)}; it is {document['length'][:40]!r}"
        raise RequestRejected.of_field("length", rule)
    return length


def drain_view(found: Drained) -> dict[str, Any]:
    """Show a drain; `drained` is true when nothing runs that a deployment would break off."""
    return {
        "draining": found.drain is not None,
        "drained": found.drain is not None and not found.running,
        "since": written(found.drain.since if found.drain else None),
        "until": written(found.drain.until if found.drain else None),
        "running": [
            {
                "window": row.slice.window_id,
                "slice": row.slice.number,
                "attempt": row.attempt,
                "started_at": written(row.started_at),
                "ends_at": written(row.slice.end),
            }
            for row in found.running
        ],
    }
