"""How windows, their ended attempts and the tries at their slices stand in Azure Tables: keys and columns."""

from collections.abc import Mapping
from typing import Any, get_args

from shared.clients.storage.columns import LONGEST_TEXT, VERSION, Columns, document_columns, read_row
from shared.domain.windows.ledger_row import WINDOW_STATES, SliceRow, SliceState, WindowOrigin, WindowRow
from shared.domain.windows.window import Slice, Window, parse_stamp, stamp


def window_key(window_id: str) -> tuple[str, str]:
    """Split a window's id into partition and row key; raises ValueError where it is no window id."""
    feed, dash, start = window_id.rpartition("-")
    if not (feed and dash):
        raise ValueError(f"{window_id!r} is no window id: expected <feed>-<yyyymmddThhmmssZ>.")
    parse_stamp(start)
    return feed, start


def window_entity(row: WindowRow) -> dict[str, Any]:
    """Write a window's row as an entity."""
    entity = VERSION | {
        "PartitionKey": row.window.feed,
        "RowKey": stamp(row.window.start),
        "end": row.window.end.isoformat(),
        "state": row.state,
        "origin": row.origin,
        "queued": row.queued,
        "reason": row.reason[:LONGEST_TEXT],
        "claimed_at": row.claimed_at.isoformat(),
        "attempt": row.attempt,
        "restarts": row.restarts,
    }
    times = {"opened_at": row.opened_at, "closed_at": row.closed_at, "stop_at": row.stop_at}
    written = {name: time.isoformat() for name, time in times.items() if time}
    documents = {"plan": row.plan, "result": row.result, "announced": row.announced}
    columns = [document_columns(name, document) for name, document in documents.items()]
    return entity | written | {name: text for column in columns for name, text in column.items()}


def window_row(entity: Mapping[str, Any]) -> WindowRow:
    """Read a window's row; raises CorruptRow where a column is missing or of another shape."""
    return read_row(entity, lambda columns: _window_row(columns, columns.text("PartitionKey"), columns.text("RowKey")))


def attempt_entity(row: WindowRow) -> dict[str, Any]:
    """Write the row of an attempt that ended, for it to be kept beside the attempts after it."""
    return window_entity(row) | {"PartitionKey": row.window.id, "RowKey": f"{row.attempt:03d}"}


def attempt_row(entity: Mapping[str, Any]) -> WindowRow:
    """Read what `attempt_entity` wrote; raises CorruptRow."""
    return read_row(entity, lambda columns: _window_row(columns, *window_key(columns.text("PartitionKey"))))


def slice_entity(row: SliceRow) -> dict[str, Any]:
    """Write one try at a slice as an entity."""
    entity = VERSION | {
        "PartitionKey": row.slice.window_id,
        "RowKey": f"{slice_prefix(row.slice.number)}{row.attempt:03d}",
        "number": row.slice.number,
        "attempt": row.attempt,
        "window_attempt": row.window_attempt,
        "start": row.slice.start.isoformat(),
        "end": row.slice.end.isoformat(),
        "state": row.state,
        "started_at": row.started_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "reason": row.reason[:LONGEST_TEXT],
    }
    documents = {"counts": row.counts, "sinks": row.sinks, "report": row.report}
    columns = [document_columns(name, document) for name, document in documents.items()]
    return entity | {name: text for column in columns for name, text in column.items()}


def slice_row(entity: Mapping[str, Any]) -> SliceRow:
    """Read one try at a slice; raises CorruptRow where a column is missing or of another shape."""
    return read_row(entity, _slice_row)


def slice_prefix(number: int) -> str:
    """Begin the row key of every try at one slice of a window."""
    return f"{number:04d}-"


def _window_row(columns: Columns, feed: str, start: str) -> WindowRow:
    window = Window(feed, parse_stamp(start), columns.time("end"))
    if window.end <= window.start:
        raise ValueError("end is not after the start")
    return WindowRow(
        window=window,
        state=columns.text("state", *WINDOW_STATES),  # type: ignore[arg-type] # one of them
        origin=columns.text("origin", *get_args(WindowOrigin)),  # type: ignore[arg-type] # one of them
        claimed_at=columns.time("claimed_at"),
        plan=columns.document("plan"),
        queued=columns.flag("queued"),
        opened_at=columns.time_if_any("opened_at"),
        closed_at=columns.time_if_any("closed_at"),
        stop_at=columns.time_if_any("stop_at"),
        reason=columns.text("reason"),
        result=columns.document("result"),
        announced=columns.document("announced"),
        attempt=columns.number("attempt", 1),
        restarts=columns.number("restarts", 0),
    )


def _slice_row(columns: Columns) -> SliceRow:
    start, end = columns.time("start"), columns.time("end")
    return SliceRow(
        slice=Slice(columns.text("PartitionKey"), columns.number("number"), start, end),
        attempt=columns.number("attempt"),
        state=columns.text("state", *get_args(SliceState)),  # type: ignore[arg-type] # one of them
        started_at=columns.time("started_at"),
        updated_at=columns.time("updated_at"),
        counts=columns.document("counts"),
        report=columns.document("report"),
        reason=columns.text("reason"),
        window_attempt=columns.number("window_attempt", 1),
        sinks=columns.document("sinks"),
    )
