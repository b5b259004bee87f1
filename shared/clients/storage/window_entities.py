"""How ledger rows stand in Azure Tables: keys, columns, and JSON cut into columns of at most 32,000 characters."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.window import Slice, Window, parse_stamp, stamp
from shared.errors import CorruptRow

# A string column holds at most 64 KiB of UTF-16: 32,768 characters (Azure Tables' documented limit).
_COLUMN = 32_000


def window_key(window_id: str) -> tuple[str, str]:
    """Split a window's id into partition and row key; raises ValueError where it is no window id."""
    feed, dash, start = window_id.rpartition("-")
    if not (feed and dash):
        raise ValueError(f"{window_id!r} is no window id: expected <feed>-<yyyymmddThhmmssZ>.")
    parse_stamp(start)
    return feed, start


def window_entity(row: WindowRow) -> dict[str, Any]:
    """Write a window's row as an entity."""
    entity = {
        "PartitionKey": row.window.feed,
        "RowKey": stamp(row.window.start),
        "end": row.window.end.isoformat(),
        "state": row.state,
        "origin": row.origin,
        "queued": row.queued,
        "reason": row.reason,
        "claimed_at": row.claimed_at.isoformat(),
        "attempt": row.attempt,
    }
    times = {"opened_at": row.opened_at, "closed_at": row.closed_at, "stop_at": row.stop_at}
    written = {name: time.isoformat() for name, time in times.items() if time}
    documents = {"plan": row.plan, "result": row.result, "announced": row.announced}
    columns = [_columns(name, document) for name, document in documents.items()]
    return entity | written | {name: text for column in columns for name, text in column.items()}


def window_row(entity: Mapping[str, Any]) -> WindowRow:
    """Read a window's row; raises CorruptRow where a column is missing or of another shape."""
    try:
        start = parse_stamp(entity["RowKey"])
        return WindowRow(
            window=Window(entity["PartitionKey"], start, datetime.fromisoformat(entity["end"])),
            state=entity["state"],
            origin=entity["origin"],
            claimed_at=datetime.fromisoformat(entity["claimed_at"]),
            plan=_document("plan", entity),
            queued=entity["queued"],
            opened_at=_time(entity, "opened_at"),
            closed_at=_time(entity, "closed_at"),
            stop_at=_time(entity, "stop_at"),
            reason=entity["reason"],
            result=_document("result", entity),
            announced=_document("announced", entity),
            attempt=entity.get("attempt", 1),
        )
    except (KeyError, ValueError) as error:
        raise _corrupt(entity, error) from error


def slice_entity(row: SliceRow) -> dict[str, Any]:
    """Write one try at a slice as an entity."""
    entity = {
        "PartitionKey": row.slice.window_id,
        "RowKey": f"{row.slice.number:04d}-{row.attempt:03d}",
        "number": row.slice.number,
        "attempt": row.attempt,
        "start": row.slice.start.isoformat(),
        "end": row.slice.end.isoformat(),
        "state": row.state,
        "started_at": row.started_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "reason": row.reason[:_COLUMN],
    }
    return entity | _columns("counts", row.counts) | _columns("report", row.report)


def slice_row(entity: Mapping[str, Any]) -> SliceRow:
    """Read one try at a slice; raises CorruptRow where a column is missing or of another shape."""
    try:
        start, end = datetime.fromisoformat(entity["start"]), datetime.fromisoformat(entity["end"])
        return SliceRow(
            slice=Slice(entity["PartitionKey"], entity["number"], start, end),
            attempt=entity["attempt"],
            state=entity["state"],
            started_at=datetime.fromisoformat(entity["started_at"]),
            updated_at=datetime.fromisoformat(entity["updated_at"]),
            counts=_document("counts", entity),
            report=_document("report", entity),
            reason=entity["reason"],
        )
    except (KeyError, ValueError) as error:
        raise _corrupt(entity, error) from error


def _columns(name: str, document: Mapping[str, Any]) -> dict[str, str]:
    text = json.dumps(document, separators=(",", ":"))
    pieces = [text[first : first + _COLUMN] for first in range(0, len(text), _COLUMN)]
    return {f"{name}_{number}": piece for number, piece in enumerate(pieces)}


def _document(name: str, entity: Mapping[str, Any]) -> dict[str, Any]:
    pieces: list[str] = []
    while f"{name}_{len(pieces)}" in entity:
        pieces.append(entity[f"{name}_{len(pieces)}"])
    document: dict[str, Any] = json.loads("".join(pieces) or "{}")
    return document


def _time(entity: Mapping[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(entity[name]) if name in entity else None


def _corrupt(entity: Mapping[str, Any], error: Exception) -> CorruptRow:
    key = f"{entity.get('PartitionKey')}/{entity.get('RowKey')}"
    return CorruptRow(f"Ledger row {key} can't be read: {type(error).__name__} {error}.")
