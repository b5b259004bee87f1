"""Closing a window: complete what its slices lack, mark what never began, and write how it ended."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import telemetry
from shared.clients.storage.windows import Ledger
from shared.domain.steps import readable
from shared.domain.windows.ending import Completion, Ending, completed, decide_ending, unbegun
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import MAX_WINDOW, Plan
from shared.domain.windows.window import Window
from shared.errors import CorruptRow, FeedRefused, FeedUnusable, LoginRefused
from shared.feeds.slicing import SliceClock, SliceSource, StreamCounts, StreamRecords
from shared.flows.ingest_slice import SliceTools
from shared.flows.outlet import connected_outlets, deliver
from shared.flows.sources import CloseRequest, open_completion
from shared.flows.stop_watch import watching

logger = logging.getLogger(__name__)


async def close(plan: Plan, tools: SliceTools) -> dict[str, Any]:
    """Close a window and say how it ended; one that has ended already is left as it is.

    A window that its source, or a login, refuses to complete is failed. Raises Unavailable where the ledger, a venue or
    the hub does not answer: another try may succeed.
    """
    row = await asyncio.to_thread(_row, tools.ledger, plan)
    if row.ended:
        return _outcome(row)
    await asyncio.to_thread(_mark_skipped, tools.ledger, plan, tools.clock())
    attempts = await asyncio.to_thread(tools.ledger.attempts, plan.window.id, plan.attempt)
    try:
        completion = await _complete(row, plan, attempts, tools)
    except (FeedRefused, FeedUnusable, LoginRefused) as refusal:
        return await asyncio.to_thread(fail, plan, readable(str(refusal)), tools)
    row = await asyncio.to_thread(_row, tools.ledger, plan)  # it may have been stopped meanwhile
    ending = decide_ending(row, plan.slices(), attempts, completion)
    return _outcome(await asyncio.to_thread(_write, tools, row, ending))


def fail(plan: Plan, reason: str, tools: SliceTools) -> dict[str, Any]:
    """End a window that can't be closed as failed, with what its slices did; one that has ended is left as it is."""
    row = _row(tools.ledger, plan)
    decided = decide_ending(row, plan.slices(), tools.ledger.attempts(plan.window.id, plan.attempt), Completion())
    return _outcome(_write(tools, row, replace(decided, state="failed", reason=f"It could not be closed. {reason}")))


def _row(ledger: Ledger, plan: Plan) -> WindowRow:
    row = ledger.window(plan.window.id)
    if row is None:
        raise CorruptRow(f"Window {plan.window.id} is not in the ledger, but its orchestration closes it.")
    return row


def _outcome(row: WindowRow) -> dict[str, Any]:
    return {"window": row.window.id, "state": row.state, "reason": row.reason}


def _mark_skipped(ledger: Ledger, plan: Plan, now: datetime) -> None:
    for part in unbegun(plan.slices(), ledger.attempts(plan.window.id, plan.attempt)):
        row = ledger.begin_attempt(part, now, plan.attempt)
        ledger.write_attempt(replace(row, state="skipped", reason="It never began."))


async def _complete(row: WindowRow, plan: Plan, attempts: Sequence[SliceRow], tools: SliceTools) -> Completion:
    """Send what the slices lack, where the feed can tell.

    A window that its source refused is left as it is, and so is one that was stopped when its time was over: nothing is
    sent after that.
    """
    end = min(plan.window.end, row.stop_at or plan.window.end)
    stopped_late = row.stop_at is not None and (plan.past or row.stop_at >= plan.window.end)
    if stopped_late or end <= plan.window.start or any(attempt.state == "refused" for attempt in attempts):
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
    async with (
        watching(tools.ledger, plan.window.id, tools.sleep) as watch,
        connected_outlets(plan.streams, tools.destinations, attempt_id, counts) as outlets,
    ):
        await deliver(_UntilStopped(source, lambda: watch() != row.stop_at), outlets)
    return Completion(source.report(), {stream: each.as_wire() for stream, each in counts.items()})


@dataclass(frozen=True, slots=True)
class _UntilStopped:
    """A source that gives nothing more once a stop was asked for."""

    source: SliceSource
    is_stopped: Callable[[], bool]

    async def batches(self) -> AsyncGenerator[StreamRecords]:
        async with aclosing(self.source.batches()) as batches:
            async for batch in batches:
                if self.is_stopped():
                    return
                yield batch

    def report(self) -> Mapping[str, Any]:
        return self.source.report()


def _previous(ledger: Ledger, window: Window) -> Mapping[str, Any] | None:
    """Give what the last slice of the window that ends where this one starts reported."""
    earlier = ledger.windows(window.feed, since=window.start - MAX_WINDOW, states=("closed", "incomplete"))
    adjacent = next((row for row in earlier if row.window.end == window.start), None)
    done = completed(ledger.attempts(adjacent.window.id, adjacent.attempt)) if adjacent else []
    is_last = bool(done) and done[-1].slice.end == window.start
    return done[-1].report if is_last else None


def _write(tools: SliceTools, row: WindowRow, ending: Ending) -> WindowRow:
    now = tools.clock()

    def ended(current: WindowRow) -> WindowRow | None:
        if current.ended:
            return None
        return replace(current, state=ending.state, reason=ending.reason, result=ending.result, closed_at=now)

    closed = tools.ledger.change(row.window.id, ended) or row
    telemetry.info(logger, f"window.{closed.state}", window=closed.window.id, reason=closed.reason or "-")
    return closed
