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
from shared.clients.event_hubs.hubs import EventHubs, HubProperties
from shared.clients.storage.reference import Reference
from shared.clients.storage.spill import Spill
from shared.clients.storage.windows import Ledger, known_window
from shared.domain.failures import FailureKind
from shared.domain.runs.run import real_end
from shared.domain.spill import Sink, stream_at
from shared.domain.windows.announcement import Announcement, closing, opening
from shared.domain.windows.ending import completed, completing_attempts
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.marker import SliceTries, marked_hubs, marker_of, spill_in
from shared.domain.windows.plan import Plan, StreamPlan
from shared.domain.windows.resuming import continued
from shared.domain.windows.spilled import drained, spill_of_window, with_purged
from shared.errors import CorruptRow, LoginRefused, SendFailed, Unavailable
from shared.signals.recording import record_span

logger = logging.getLogger(__name__)

MARKERS: Final = "windows/"
"""The folder of what marks the ends of windows."""

_SPANS: Final = {"opened": "opening", "closed": "closing"}

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

    Says whether it did; nothing is done while the window goes on, nor where it never had spill. Raises as
    `mark_closed`.
    """
    row = await asyncio.to_thread(known_window, events.ledger, window_id)
    if row is None or not row.ended or not row.plan:
        return False
    marked = await asyncio.to_thread(_marked, events, window_id)
    tries = await asyncio.to_thread(_tries, events, row)
    if await asyncio.to_thread(_spill, events, row, tries, spill_in(marked, tries)) == spill_in(marked):
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


def note(events: WindowEvents, row: WindowRow, what: str, *, is_last: bool = False) -> None:
    """Write into the ledger when something was first (or last) told of a window, or failed to be; of this attempt."""
    entry = {what: events.clock().isoformat()}

    def noted(current: WindowRow) -> WindowRow | None:
        if current.attempt != row.attempt:
            return None
        announced = current.announced
        return replace(current, announced={**announced, **entry} if is_last else {**entry, **announced})

    events.ledger.change(row.window.id, noted)


def marker_path(window_id: str) -> str:
    """Name the blob that marks a window's end."""
    return f"{MARKERS}{window_id}/closed.json"


async def _mark(events: WindowEvents, row: WindowRow) -> None:
    """Write a window's marker, again where its spill was drained meanwhile: whoever drained it may have written first.

    When it was drained, at hubs or at Cosmos DB, is noted before, since the marker is what `mark_spill` goes by. Where
    the window is ingested again meanwhile, its end is taken back, or that of the next attempt written in its place.
    """
    path, marked = marker_path(row.window.id), await asyncio.to_thread(_marked, events, row.window.id)
    tries = await asyncio.to_thread(_tries, events, row)
    before = spill_in(marked, tries)
    spill = await asyncio.to_thread(_spill, events, row, tries, before)
    while True:
        if any(before.get(stream) != states for stream, states in drained(spill).items()):
            await asyncio.to_thread(note, events, row, DRAINED, is_last=True)
        marker = marker_of(row, _plan(row), tries, spill) | await _positions(events, row, marked)
        await asyncio.to_thread(events.reference.write, path, json.dumps(marker, indent=1).encode())
        written, spill = spill, await asyncio.to_thread(_spill, events, row, tries, before)
        if drained(spill) == drained(written):
            break
    now = await asyncio.to_thread(_row, events, row.window.id)
    if not now.ended:
        await asyncio.to_thread(events.reference.delete, path)
    elif now.attempt != row.attempt:
        await _mark(events, now)


async def _positions(events: WindowEvents, row: WindowRow, marked: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Say of each stream which its hubs are and how far; of a hub that is gone, what the marker said before, if any.

    Asked after the spill was: what is redriven lies before these positions.
    """
    found: dict[str, dict[str, Any]] = {"hubs": {}, "last_sequence_numbers": {}}
    for stream, hubs in _hubs(row).items():
        before = marked_hubs(marked, stream, hubs[0])
        first, *further = [await _position(events, hub, before.get(hub, {})) for hub in hubs]
        found["last_sequence_numbers"][stream] = first.pop("last_sequence_numbers")
        if "created_at" in first:
            found["hubs"][stream] = first
        if further:
            found.setdefault("further_hubs", {})[stream] = further
    return found


async def _position(events: WindowEvents, hub: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """Say when a hub was made and how far it is; what was said before where it is gone."""
    properties = await _properties(events, hub)
    if properties is None:
        return {"name": hub, "last_sequence_numbers": {}, **before}
    last = dict(properties.last_sequence_numbers)
    return {"name": hub, "created_at": properties.created_at.isoformat(), "last_sequence_numbers": last}


async def _properties(events: WindowEvents, hub: str) -> HubProperties | None:
    """Ask a hub how far it is; None where there is no such hub any more."""
    try:
        return await events.hubs.properties(hub)
    except SendFailed as failure:
        if failure.kind is not FailureKind.PERMANENT:
            raise
        telemetry.warning(logger, "window.hub_gone", hub=hub, cause=failure)
        return None


def _spill(
    events: WindowEvents, row: WindowRow, tries: SliceTries, before: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Count a window's spill at hubs and at Cosmos DB. before: what a marker of the same tries says of it."""
    kept = [stream_at(stream.name, sink) for stream in _plan(row).streams for sink in _sinks(stream)]
    batches = [batch for stream in kept for batch in events.spill.batches(f"{stream}/{row.window.id}/")]
    return with_purged(spill_of_window(batches, tries.attempts, tries.continued), before)


def _sinks(stream: StreamPlan) -> tuple[Sink, ...]:
    return (*(("hub",) if stream.hubs else ()), *(("cosmos",) if stream.cosmos else ()))


def _marked(events: WindowEvents, window_id: str) -> dict[str, Any]:
    """Read a window's marker; empty where it can't be read, or is not there."""
    try:
        marker = json.loads(events.reference.read(marker_path(window_id)) or b"{}")
    except ValueError:
        return {}
    return marker if isinstance(marker, dict) else {}


def _tries(events: WindowEvents, row: WindowRow) -> SliceTries:
    rows = events.ledger.attempts(row.window.id, row.attempt)
    return SliceTries(completing_attempts(rows, row.attempt), continued(completed(rows)))


def _hubs(row: WindowRow) -> dict[str, tuple[str, ...]]:
    """Name the hubs of each of a window's streams that has any, and of what the app makes of them."""
    return {stream.name: stream.hubs for stream in _plan(row).of_hubs}


def _plan(row: WindowRow) -> Plan:
    return Plan.from_wire(dict(row.plan))


def _announce(
    events: WindowEvents, row: WindowRow, what: str, event: Callable[[WindowRow], Announcement]
) -> dict[str, Any]:
    if events.topic is None or what in row.announced:
        return {"published": False}
    began = events.clock()
    events.topic.publish(event(row))
    record_span(_SPANS[what], row.window.id, began, events.clock(), attempt=row.attempt)
    note(events, row, what)
    return {"published": True}


def _opening(row: WindowRow) -> Announcement:
    return opening(row.window, row.attempt)


def _row(events: WindowEvents, window_id: str) -> WindowRow:
    row = events.ledger.window(window_id)
    if row is None:
        raise CorruptRow(f"Window {window_id} is not in the ledger, but its orchestration announces it.")
    return row
