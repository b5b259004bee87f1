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
from shared.clients.storage.spill import Spill
from shared.clients.storage.windows import Ledger
from shared.domain.runs.run import real_end
from shared.domain.windows.announcement import Announcement, closing, opening
from shared.domain.windows.ending import completing_attempts
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan
from shared.domain.windows.spilled import is_drained, spill_of_window
from shared.errors import CorruptRow, LoginRefused, Unavailable

logger = logging.getLogger(__name__)

MARKERS: Final = "windows/"
"""The folder of what marks the ends of windows."""

DRAINED: Final = "drained"
"""Under this name a window's row says when its spill was drained last."""


@dataclass(frozen=True, slots=True)
class WindowEvents:
    """What publishing the events of windows needs; without a topic nobody listens, and nothing is published."""

    ledger: Ledger
    hubs: EventHubs
    reference: Reference
    spill: Spill
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
    """Write `windows/<window id>/closed.json`: real end, state, counts, its hubs, how far they are, and its spill.

    Its readers know by it that no event of the window comes any more but what waits in the spill. A second call writes
    it anew. Raises Unavailable, LoginRefused and SendFailed.
    """
    row = await asyncio.to_thread(_row, events, window_id)
    await _mark(events, row)
    return {"path": marker_path(window_id)}


async def mark_spill(events: WindowEvents, window_id: str) -> bool:
    """Write a window's marker anew where its spill became another since.

    Says whether it did; nothing is done while the window goes on, nor where it has no spill. Raises as `mark_closed`.
    """
    row = await asyncio.to_thread(events.ledger.window, window_id)
    if row is None or not row.ended or not row.plan:
        return False
    spill = await asyncio.to_thread(_spill, events, row)
    if not spill or spill == await asyncio.to_thread(_marked_spill, events, window_id):
        return False
    await _mark(events, row)
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


async def _mark(events: WindowEvents, row: WindowRow) -> None:
    """Write a window's marker, again where its spill was drained meanwhile: whoever drained it may have written first.

    When it was drained is noted before, since the marker is what `mark_spill` goes by. Where the window is ingested
    again meanwhile, its end is taken back.
    """
    path, spill = marker_path(row.window.id), await asyncio.to_thread(_spill, events, row)
    while True:
        if spill and is_drained(spill):
            await asyncio.to_thread(_note_drained, events, row)
        content = json.dumps(await _marker(events, row, spill), indent=1).encode()
        await asyncio.to_thread(events.reference.write, path, content)
        written, spill = spill, await asyncio.to_thread(_spill, events, row)
        if spill == written or not is_drained(spill):
            break
    if not (await asyncio.to_thread(_row, events, row.window.id)).ended:
        await asyncio.to_thread(events.reference.delete, path)


async def _marker(events: WindowEvents, row: WindowRow, spill: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the hubs how far they are, which is after the spill was asked: what is redriven lies before that."""
    hub_of = _hubs(row)
    properties = {name: await events.hubs.properties(hub) for name, hub in hub_of.items()}
    return {
        "window": row.window.id,
        "start": row.window.start.isoformat(),
        "end": real_end(row).isoformat(),
        "state": row.state,
        "counts": row.result.get("counts", {}),
        "attempts": await asyncio.to_thread(_attempts, events, row),
        "spill": spill,
        "hubs": {
            name: {"name": hub_of[name], "created_at": one.created_at.isoformat()} for name, one in properties.items()
        },
        "last_sequence_numbers": {name: dict(one.last_sequence_numbers) for name, one in properties.items()},
    }


def _spill(events: WindowEvents, row: WindowRow) -> dict[str, dict[str, int]]:
    batches = [batch for stream in _hubs(row) for batch in events.spill.batches(f"{stream}/{row.window.id}/")]
    return spill_of_window(batches, _attempts(events, row)) if batches else {}


def _marked_spill(events: WindowEvents, window_id: str) -> object:
    """Read what the marker says of the spill; None where it says nothing, can't be read, or is not there."""
    try:
        marker = json.loads(events.reference.read(marker_path(window_id)) or b"null")
    except ValueError:
        return None
    return marker.get("spill") if isinstance(marker, dict) else None


def _note_drained(events: WindowEvents, row: WindowRow) -> None:
    now = events.clock().isoformat()

    def noted(current: WindowRow) -> WindowRow | None:
        is_same = current.attempt == row.attempt
        return replace(current, announced={**current.announced, DRAINED: now}) if is_same else None

    events.ledger.change(row.window.id, noted)


def _attempts(events: WindowEvents, row: WindowRow) -> dict[str, int]:
    return completing_attempts(events.ledger.attempts(row.window.id, row.attempt), row.attempt)


def _hubs(row: WindowRow) -> dict[str, str]:
    """Name the hub of each of a window's streams that has one."""
    return {stream.name: stream.hub for stream in Plan.from_wire(dict(row.plan)).streams if stream.hub}


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
