"""Closing a window: complete what its slices lack, mark what never began, and write how it ended."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared import telemetry
from shared.clients.storage.windows import Ledger
from shared.domain.windows.ending import Completion, Ending, completed, decide_ending, unbegun
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import MAX_WINDOW, Plan
from shared.domain.windows.window import Window
from shared.errors import CorruptRow
from shared.feeds.slicing import SliceClock, StreamCounts
from shared.flows.ingest_slice import SliceTools
from shared.flows.outlet import connected_outlets, deliver
from shared.flows.sources import CloseRequest, open_completion

logger = logging.getLogger(__name__)


async def close(plan: Plan, tools: SliceTools) -> dict[str, Any]:
    """Close a window and say how it ended; one that has ended already is left as it is.

    Raises Unavailable where the ledger, a venue or the hub does not answer: another try may succeed.
    """
    row = await asyncio.to_thread(tools.ledger.window, plan.window.id)
    if row is None:
        raise CorruptRow(f"Window {plan.window.id} is not in the ledger, but its orchestration closes it.")
    if not row.ended:
        row = await _close_open(row, plan, tools)
    return {"window": row.window.id, "state": row.state, "reason": row.reason}


async def _close_open(row: WindowRow, plan: Plan, tools: SliceTools) -> WindowRow:
    await asyncio.to_thread(_mark_skipped, tools.ledger, plan, tools.clock())
    attempts = await asyncio.to_thread(tools.ledger.attempts, plan.window.id, plan.attempt)
    completion = await _complete(row, plan, attempts, tools)
    ending = decide_ending(row, plan.slices(), attempts, completion)
    closed = await asyncio.to_thread(_write, tools.ledger, row, ending, tools.clock())
    telemetry.info(logger, f"window.{closed.state}", window=closed.window.id, reason=closed.reason or "-")
    return closed


def _mark_skipped(ledger: Ledger, plan: Plan, now: datetime) -> None:
    for part in unbegun(plan.slices(), ledger.attempts(plan.window.id, plan.attempt)):
        row = ledger.begin_attempt(part, now, plan.attempt)
        ledger.write_attempt(replace(row, state="skipped", reason="It never began."))


async def _complete(row: WindowRow, plan: Plan, attempts: Sequence[SliceRow], tools: SliceTools) -> Completion:
    """Send what the slices lack, where the feed can tell; a window that its source refused is left as it is."""
    end = min(plan.window.end, row.stop_at or plan.window.end)
    if end <= plan.window.start or any(attempt.state == "refused" for attempt in attempts):
        return Completion()
    request = CloseRequest(
        plan,
        Window(plan.window.feed, plan.window.start, end),
        reports=[attempt.report for attempt in completed(attempts)],
        previous=await asyncio.to_thread(_previous, tools.ledger, plan.window),
    )
    time = SliceClock(tools.clock, tools.sleep, lambda: None)
    source = await asyncio.to_thread(open_completion, tools.feed(plan), request, tools.sources, time)
    if source is None:
        return Completion()
    counts = {stream.name: StreamCounts() for stream in plan.streams}
    attempt_id = plan.window.closing_attempt_id(plan.attempt)
    async with connected_outlets(plan.streams, tools.destinations, attempt_id, counts) as outlets:
        await deliver(source, outlets)
    return Completion(source.report(), {stream: each.as_wire() for stream, each in counts.items()})


def _previous(ledger: Ledger, window: Window) -> Mapping[str, Any] | None:
    """Give what the last slice of the window that ends where this one starts reported."""
    earlier = ledger.windows(window.feed, since=window.start - MAX_WINDOW, states=("closed", "incomplete"))
    adjacent = next((row for row in earlier if row.window.end == window.start), None)
    done = completed(ledger.attempts(adjacent.window.id, adjacent.attempt)) if adjacent else []
    is_last = bool(done) and done[-1].slice.end == window.start
    return done[-1].report if is_last else None


def _write(ledger: Ledger, row: WindowRow, ending: Ending, now: datetime) -> WindowRow:
    def ended(current: WindowRow) -> WindowRow | None:
        if current.ended:
            return None
        return replace(current, state=ending.state, reason=ending.reason, result=ending.result, closed_at=now)

    return ledger.change(row.window.id, ended) or row
