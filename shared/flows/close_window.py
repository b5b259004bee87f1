"""Closing a window: complete what its slices lack, mark what never began, and write how it ended."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import telemetry
from shared.clients.storage.windows import Ledger
from shared.domain.sinks import summed
from shared.domain.steps import readable
from shared.domain.windows.ending import Completion, Ending, completed, decide_ending, may_complete, unbegun
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import MAX_WINDOW, Plan
from shared.domain.windows.window import Window
from shared.errors import CorruptRow, FeedRefused, FeedUnusable, LoginRefused
from shared.feeds.slicing import CloseRequest, SliceClock, SliceSource, StreamCounts, StreamRecords, sinks_of
from shared.flows.ingest_slice import SliceTools
from shared.flows.outlet import connected_outlets, deliver
from shared.flows.sources import open_completion
from shared.flows.stop_watch import watching
from shared.flows.window_signals import record_end
from shared.signals.metrics import GAP_DURATION, RECORDS
from shared.signals.recording import record

logger = logging.getLogger(__name__)

_LEFT_OFF = "left_off"
"""Under which a row's result keeps how far a closing is that goes on in another call."""


async def close(plan: Plan, tools: SliceTools) -> dict[str, Any]:
    """Close a window and say how it ended; one that has ended already is left as it is.

    A window that its source, or a login, refuses to complete is failed. `pending` where the time of one call was too
    short: the row keeps what was done, and the next call goes on there. Raises Unavailable where the ledger, a venue or
    the hub does not answer: another try may succeed.
    """
    row = await asyncio.to_thread(_row, tools.ledger, plan)
    if not row.goes_on_as(plan.attempt):
        return _outcome(row)
    await asyncio.to_thread(_mark_skipped, tools.ledger, plan, tools.clock())
    attempts = await asyncio.to_thread(tools.ledger.attempts, plan.window.id, plan.attempt)
    try:
        completion = await _complete(row, plan, attempts, tools)
    except (FeedRefused, FeedUnusable, LoginRefused) as refusal:
        return await asyncio.to_thread(fail, plan, readable(str(refusal)), tools)
    if completion.report.get("rest"):
        await asyncio.to_thread(_leave_off, tools.ledger, plan, completion)
        return {**_outcome(row), "pending": True}
    row = await asyncio.to_thread(_row, tools.ledger, plan)  # it may have been stopped meanwhile
    ending = decide_ending(row, plan.slices(), attempts, completion)
    return _outcome(await asyncio.to_thread(_write, tools, row, ending))


def fail(plan: Plan, reason: str, tools: SliceTools) -> dict[str, Any]:
    """End a window that can't be closed as failed, with what its slices did; one that has ended is left as it is."""
    row = _row(tools.ledger, plan)
    if not row.goes_on_as(plan.attempt):
        return _outcome(row)
    decided = decide_ending(row, plan.slices(), tools.ledger.attempts(plan.window.id, plan.attempt), Completion())
    return _outcome(_write(tools, row, replace(decided, state="failed", reason=f"It could not be closed. {reason}")))


def _leave_off(ledger: Ledger, plan: Plan, completion: Completion) -> None:
    """Keep in the window's row how far its closing is."""
    left_off = {_LEFT_OFF: {"report": completion.report, "counts": completion.counts, "sinks": completion.sinks}}

    def kept(row: WindowRow) -> WindowRow | None:
        return replace(row, result=left_off) if row.goes_on_as(plan.attempt) else None

    ledger.change(plan.window.id, kept)


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
    left_off = row.result.get(_LEFT_OFF, {})
    if end <= plan.window.start or not may_complete(row, attempts):
        return Completion(counts=left_off.get("counts", {}), sinks=left_off.get("sinks", {}))
    request = CloseRequest(
        plan,
        Window(plan.window.feed, plan.window.start, end),
        reports=[attempt.report for attempt in completed(attempts)],
        previous=await asyncio.to_thread(_previous, tools.ledger, plan.window),
        until=tools.clock() + tools.longest_closing if tools.longest_closing else None,
        earlier=left_off.get("report"),
    )
    counts = {stream.name: StreamCounts() for stream in plan.streams}
    attempt_id = plan.window.closing_attempt_id(plan.attempt)
    async with watching(tools.ledger, plan.window.id, tools.sleep) as stop_at:
        time = SliceClock(tools.clock, tools.sleep, stop_at)
        source = await asyncio.to_thread(open_completion, tools.feed(plan), request, tools.sources, time)
        if source is None:
            return Completion()
        async with connected_outlets(plan.streams, tools.destinations, attempt_id, counts) as outlets:
            await deliver(_UntilStopped(source, lambda: stop_at() != row.stop_at), outlets)
    sent = {stream: Counter(each.as_wire()) for stream, each in counts.items()}
    for stream, before in left_off.get("counts", {}).items():
        sent[stream].update(before)
    sinks = summed([left_off.get("sinks", {}), sinks_of(counts)])
    return Completion(source.report(), {stream: dict(each) for stream, each in sent.items()}, sinks)


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
        if not current.goes_on_as(row.attempt):
            return None
        return replace(current, state=ending.state, reason=ending.reason, result=ending.result, closed_at=now)

    closed = tools.ledger.change(row.window.id, ended) or row
    if closed.closed_at == now:
        _record(closed, ending)
    telemetry.info(logger, f"window.{closed.state}", window=closed.window.id, reason=closed.reason or "-")
    return closed


def _record(row: WindowRow, ending: Ending) -> None:
    record_end(row)
    feed = row.window.feed
    if ending.gap_seconds:
        record(GAP_DURATION, ending.gap_seconds, feed=feed)
    if ending.lost_records:
        # A source that can lose records has one stream; of several nobody could say whose they are.
        streams = ",".join(stream["name"] for stream in row.plan.get("streams", []))
        record(RECORDS, ending.lost_records, feed=feed, stream=streams, outcome="lost")
