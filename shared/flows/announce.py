"""Telling the world about a window: its opening and its closing to a topic, and its closing to those who read files."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from shared import telemetry
from shared.clients.event_grid.topic import Topic
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.storage.reference import Reference
from shared.clients.storage.windows import Ledger
from shared.domain.runs.run import real_end
from shared.domain.windows.announcement import Announcement, closing, opening
from shared.domain.windows.ending import completing_attempts
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan
from shared.errors import CorruptRow, LoginRefused, Unavailable

logger = logging.getLogger(__name__)

MARKERS: Final = "windows/"
"""The folder of what marks the ends of windows."""


@dataclass(frozen=True, slots=True)
class WindowEvents:
    """What publishing the events of windows needs; without a topic nobody listens, and nothing is published."""

    ledger: Ledger
    hubs: EventHubs
    reference: Reference
    topic: Topic | None
    clock: Callable[[], datetime]


def announce_opening(events: WindowEvents, window_id: str) -> dict[str, Any]:
    """Publish that a window opens, and write so into the ledger; once it is written it is not published again.

    Raises Unavailable and LoginRefused, and writes that it is postponed. From the window's end on a topic that fails is
    no error any more: closing must not wait for it, and `announce_closing` makes up for it.
    """
    row = _row(events, window_id)
    try:
        if row.attempt > 1 and "opened" not in row.announced:
            # What marks the end of the attempt before would end a run of this one at once.
            events.reference.delete(marker_path(window_id))
        return _announce(events, row, "opened", _opening)
    except (Unavailable, LoginRefused) as failure:
        telemetry.warning(logger, "opening.postponed", window=window_id, cause=failure)
        note(events, row, "postponed")
        if events.clock() < real_end(row):
            raise
        return {"published": False}


async def mark_closed(events: WindowEvents, window_id: str) -> dict[str, Any]:
    """Write `windows/<window id>/closed.json`: real end, state, counts, its hubs and how far their partitions are.

    Its readers know by it that no event of the window comes any more. A second call writes it anew.
    """
    row = await asyncio.to_thread(_row, events, window_id)
    streams = Plan.from_wire(dict(row.plan)).streams
    hub_of = {stream.name: stream.hub for stream in streams if stream.hub}
    properties = {name: await events.hubs.properties(hub) for name, hub in hub_of.items()}
    attempts = await asyncio.to_thread(events.ledger.attempts, window_id, row.attempt)
    marker = {
        "window": window_id,
        "start": row.window.start.isoformat(),
        "end": real_end(row).isoformat(),
        "state": row.state,
        "counts": row.result.get("counts", {}),
        "attempts": completing_attempts(attempts, row.attempt),
        "hubs": {
            name: {"name": hub_of[name], "created_at": one.created_at.isoformat()} for name, one in properties.items()
        },
        "last_sequence_numbers": {name: dict(one.last_sequence_numbers) for name, one in properties.items()},
    }
    content = json.dumps(marker, indent=1).encode()
    await asyncio.to_thread(events.reference.write, marker_path(window_id), content)
    return {"path": marker_path(window_id)}


async def mark_spill(events: WindowEvents, window_id: str) -> bool:
    """Write a window's marker anew, since its spill is another; says whether there is one. Raises as `mark_closed`."""
    row = await asyncio.to_thread(events.ledger.window, window_id)
    if row is None or not row.ended or not row.plan:
        return False
    await mark_closed(events, window_id)
    return True


def announce_closing(events: WindowEvents, window_id: str) -> dict[str, Any]:
    """Publish that a window is over, and first its opening where that is still postponed.

    Raises Unavailable and LoginRefused.
    """

    def closed(row: WindowRow) -> Announcement:
        counts: Mapping[str, Mapping[str, int]] = row.result.get("counts", {})
        return closing(row.window, real_end(row), row.state, counts, row.attempt)

    row = _row(events, window_id)
    if "postponed" in row.announced:
        _announce(events, row, "opened", _opening)
    return _announce(events, row, "closed", closed)


def note(events: WindowEvents, row: WindowRow, what: str) -> None:
    """Write into the ledger when something was first told of a window, or failed to be; of this attempt alone."""
    now = events.clock().isoformat()

    def noted(current: WindowRow) -> WindowRow | None:
        is_same = current.attempt == row.attempt
        return replace(current, announced={what: now, **current.announced}) if is_same else None

    events.ledger.change(row.window.id, noted)


def marker_path(window_id: str) -> str:
    """Name the blob that marks a window's end."""
    return f"{MARKERS}{window_id}/closed.json"


def _announce(
    events: WindowEvents, row: WindowRow, what: str, event: Callable[[WindowRow], Announcement]
) -> dict[str, Any]:
    if events.topic is None or what in row.announced:
        return {"published": False}
    events.topic.publish(event(row))
    note(events, row, what)
    return {"published": True}


def _opening(row: WindowRow) -> Announcement:
    return opening(row.window, row.attempt)


def _row(events: WindowEvents, window_id: str) -> WindowRow:
    row = events.ledger.window(window_id)
    if row is None:
        raise CorruptRow(f"Window {window_id} is not in the ledger, but its orchestration announces it.")
    return row
