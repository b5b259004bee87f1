"""One try at one slice, of whatever feed: number it, ingest, and write what became of it into the ledger."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared import telemetry
from shared.clients.storage.windows import Ledger
from shared.domain.steps import may_pass, readable
from shared.domain.windows.ending import completed
from shared.domain.windows.ledger_row import SliceRow, SliceState, WindowRow
from shared.domain.windows.plan import Plan, SliceAttempt
from shared.domain.windows.resuming import CONTINUES, SETTLED, resumes, settled_before
from shared.errors import FeedUnusable, IngestionError
from shared.feeds.feed import Feed
from shared.feeds.slicing import RunningSource, SliceClock, StreamCounts, StreamRecords, sinks_of
from shared.flows.outlet import Destinations, connected_outlets, deliver
from shared.flows.sources import SourceTools, open_source
from shared.flows.stop_watch import StopWatch, watching
from shared.signals.recording import record_try

logger = logging.getLogger(__name__)

_PROGRESS_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class SliceTools:
    """What ingesting a slice needs of the world; `feeds` are the ones that can run.

    longest_closing: how long one call of a closing may work, None for ever. may_begin: raises Unavailable while no
    slice may begin.
    """

    ledger: Ledger
    feeds: Mapping[str, Feed]
    sources: SourceTools
    destinations: Destinations
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    longest_closing: timedelta | None = None
    may_begin: Callable[[], None] = lambda: None

    def feed(self, plan: Plan) -> Feed:
        """Give the feed of a plan; raises FeedUnusable where this version can't run it."""
        name = plan.window.feed
        if name not in self.feeds:
            raise FeedUnusable(f"Feed {name} of window {plan.window.id} can't run here: see the log of the start.")
        return self.feeds[name]


def begin(ledger: Ledger, window_id: str, attempt: int, now: datetime) -> dict[str, Any]:
    """Move a planned attempt of a window to open; `proceed` is false for one that has ended (a late start)."""

    def opened(row: WindowRow) -> WindowRow | None:
        return replace(row, state="open", opened_at=now) if (row.state, row.attempt) == ("planned", attempt) else None

    row = ledger.change(window_id, opened)
    return {"proceed": row is not None and row.goes_on_as(attempt), "state": row.state if row else "unknown"}


async def ingest(plan: Plan, number: int, tools: SliceTools) -> dict[str, Any]:
    """Ingest slice `number` and say how: `done`, `skipped`, or `refused` with the reason that no retry can change.

    Azure may deliver a slice again that was done: that try is its outcome. One that still runs elsewhere is not waited
    for, since nobody can tell it from one whose host died; what both send has the same keys.

    Raises what another try may cure; the ledger's row then says `failed`.
    """
    tries = await asyncio.to_thread(tools.ledger.attempts, plan.window.id, plan.attempt, number=number)
    for done in completed(tries):
        return _answer(done)
    await asyncio.to_thread(tools.may_begin)
    part = plan.slices()[number]
    row = await asyncio.to_thread(tools.ledger.begin_attempt, part, tools.clock(), plan.attempt)
    with telemetry.about(window=plan.window.id, slice=number, attempt=row.attempt):
        earlier = settled_before(tries) if resumes(plan) else {}
        attempt = SliceAttempt(plan, row.slice, row.attempt, earlier.get("progress", {}))
        outcome = await _Work(attempt, row, tools, earlier).end()
    return _answer(replace(row, state=outcome.state, reason=outcome.reason))


def _answer(row: SliceRow) -> dict[str, Any]:
    return {"slice": row.slice.number, "attempt": row.attempt, "state": row.state, "reason": row.reason}


def slice_outcome(number: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Say how a slice ended, from the last answer of its activity: `done`, `skipped`, `refused`, `failed`, and why."""
    failure = answer.get("failure")
    if failure is None:
        return dict(answer)
    return {"slice": number, "state": "failed" if may_pass(failure) else "refused", "reason": failure["reason"]}


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: SliceState
    reason: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Work:
    """One try in progress."""

    attempt: SliceAttempt
    row: SliceRow
    tools: SliceTools
    settled: Mapping[str, Any]
    counts: dict[str, StreamCounts] = field(init=False)

    def __post_init__(self) -> None:
        names = [stream.name for stream in self.attempt.plan.streams]
        counts, placed = self.settled.get("counts", {}), self.settled.get("placed", {})
        self.counts = {name: StreamCounts.from_wire(counts.get(name, {}), placed.get(name, 0)) for name in names}

    async def end(self) -> _Outcome:
        """Do the work, write how it ended, and say it."""
        ledger, window_id = self.tools.ledger, self.attempt.plan.window.id
        try:
            async with self.reporting(), watching(ledger, window_id, self.tools.sleep) as watch:
                outcome = await self.run(SliceClock(self.tools.clock, self.tools.sleep, watch), watch)
        except Exception as error:
            if isinstance(error, IngestionError) and not error.kind.may_pass:
                outcome = _Outcome("refused", readable(str(error)), self._so_far())
            else:
                await self.write(_Outcome("failed", readable(str(error)) or type(error).__name__, self._so_far()))
                raise
        await self.write(outcome)
        return outcome

    async def run(self, time: SliceClock, watch: StopWatch) -> _Outcome:
        stop_at = time.stop_at()
        if stop_at is not None and (stop_at <= self.row.slice.start or self.attempt.plan.past):
            return _Outcome("skipped", "The window was stopped before this slice began.")
        plan, attempt_id = self.attempt.plan, self.attempt.part.attempt_id(self.attempt.attempt)
        feed = self.tools.feed(plan)
        source = await asyncio.to_thread(open_source, feed, self.attempt, self.tools.sources, time)
        async with connected_outlets(plan.streams, self.tools.destinations, attempt_id, self.counts) as outlets:
            await deliver(_Settling(source, self._settle), outlets)
        report = with_timing(source.report(), self.attempt, self.row.started_at, watch)
        continues = self._continues()
        return _Outcome("done", report={**report, CONTINUES: continues} if continues else report)

    def _settle(self, progress: Mapping[str, Any]) -> None:
        """Keep how far the try is whenever all that it gave was sent: a later try goes on from there."""
        if progress:
            counts = {name: counts.as_wire() for name, counts in self.counts.items()}
            placed = {name: counts.placed for name, counts in self.counts.items()}
            self.settled = {"progress": progress, "counts": counts, "placed": placed, CONTINUES: self._continues()}

    def _continues(self) -> list[int]:
        return list(self.settled.get(CONTINUES, ()))

    @asynccontextmanager
    async def reporting(self) -> AsyncIterator[None]:
        """Write the counts into the ledger every 10 s for the length of a block."""
        task = asyncio.create_task(self._report_forever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _report_forever(self) -> None:
        while True:
            await self.tools.sleep(_PROGRESS_EVERY)
            running = _Outcome("running", report=self._so_far())
            try:
                await _to_its_end(asyncio.to_thread(self.tools.ledger.write_attempt, self._row(running)))
            except Exception as error:  # noqa: BLE001 - whatever fails, progress is written again
                telemetry.warning(logger, "slice.progress_unwritten", window=self.row.slice.window_id, cause=error)

    def _so_far(self) -> Mapping[str, Any]:
        return {**self.settled["progress"], SETTLED: self.settled} if self.settled else {}

    async def write(self, outcome: _Outcome) -> None:
        """Write how the try ended, and tell it."""
        row = self._row(outcome)
        await asyncio.to_thread(self.tools.ledger.write_attempt, row)
        failure = row.reason if row.state in ("failed", "refused") else ""
        record_try(
            row.slice.attempt_id(row.attempt), row.started_at, row.updated_at, failure=failure, state=outcome.state
        )
        correlation = {"window": row.slice.window_id, "slice": row.slice.number, "attempt": row.attempt}
        for stream, counts in row.counts.items():
            telemetry.info(logger, f"slice.{outcome.state}", **correlation, stream=stream, **counts)

    def _row(self, outcome: _Outcome) -> SliceRow:
        return replace(
            self.row,
            state=outcome.state,
            updated_at=self.tools.clock(),
            counts={stream: counts.as_wire() for stream, counts in self.counts.items()},
            sinks=sinks_of(self.counts),
            report=outcome.report,
            reason=outcome.reason,
        )


@dataclass(frozen=True, slots=True)
class _Settling:
    """A source that says how far it is whenever its last batch was sent."""

    source: RunningSource
    settle: Callable[[Mapping[str, Any]], None]

    async def batches(self) -> AsyncGenerator[StreamRecords]:
        async with aclosing(self.source.batches()) as batches:
            async for batch in batches:
                yield batch
                self.settle(self.source.progress())

    def report(self) -> Mapping[str, Any]:
        return self.source.report()


def with_timing(report: Mapping[str, Any], attempt: SliceAttempt, began: datetime, watch: StopWatch) -> dict[str, Any]:
    """Add to a report how late the slice was, in seconds, and what could not be known of a stop.

    late_begun: after its start less its lead. late_connected: after its start, where its source says when it was
    connected first. A past slice is never late.
    """
    timing = {}
    if not attempt.plan.past:
        timing["late_begun"] = _late(began, attempt.part.start - attempt.plan.lead)
        if connected := report.get("connected_at"):
            timing["late_connected"] = _late(datetime.fromisoformat(connected), attempt.part.start)
    warnings = [*report.get("warnings", []), *watch.warnings()]
    return {**report, **timing, **({"warnings": warnings} if warnings else {})}


def _late(at: datetime, due: datetime) -> float:
    return max(0.0, round((at - due).total_seconds(), 1))


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await a thread's work even when cancelled: it goes on, and must not overtake what is written next."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.gather(task, return_exceptions=True)
