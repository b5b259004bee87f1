"""One try at one slice, of whatever feed: number it, ingest, and write what became of it into the ledger."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared import telemetry
from shared.clients.event_hubs.hubs import EventHubs, Sender
from shared.clients.storage.windows import Ledger
from shared.domain.delivery import Delivery
from shared.domain.windows.ledger_row import SliceRow, SliceState, WindowRow
from shared.domain.windows.plan import Plan, SliceAttempt, StreamPlan
from shared.errors import FeedRefused, LoginRefused, SendFailed, Unavailable
from shared.feeds.catalogue import CATALOGUE
from shared.feeds.packing import Packing, as_events
from shared.feeds.slicing import SliceClock, SliceSource, StreamCounts
from shared.flows.stop_watch import watching
from shared.flows.synthetic_slice import SyntheticFeed, ingest_synthetic_slice
from shared.trades.connection.client import VenueClient
from shared.trades.source import slice_source

logger = logging.getLogger(__name__)

_PROGRESS_EVERY = 10.0
_EXCERPT = 500


@dataclass(frozen=True, slots=True)
class SliceTools:
    """What ingesting a slice needs of the world."""

    ledger: Ledger
    hubs: EventHubs
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    synthetic: Callable[[str], SyntheticFeed]
    markets: Callable[[], Mapping[str, VenueClient]]


def begin(ledger: Ledger, window_id: str, now: datetime) -> dict[str, Any]:
    """Move a planned window to open; `proceed` is false for one that has ended (a late or doubled start)."""

    def opened(row: WindowRow) -> WindowRow | None:
        return replace(row, state="open", opened_at=now) if row.state == "planned" else None

    row = ledger.change(window_id, opened)
    return {"proceed": row is not None and not row.ended, "state": row.state if row else "unknown"}


async def ingest(plan: Plan, number: int, tools: SliceTools) -> dict[str, Any]:
    """Ingest slice `number` and say how: `done`, `skipped`, or `refused` with words that no retry can change.

    Raises Unavailable where another try may succeed; the ledger's row then says `failed`.
    """
    row = await asyncio.to_thread(tools.ledger.begin_attempt, plan.slices()[number], tools.clock())
    work = _Work(SliceAttempt(plan, row.slice, row.attempt), row, tools)
    try:
        async with work.reporting(), watching(tools.ledger, plan.window.id, tools.sleep) as stop_at:
            outcome = await work.run(SliceClock(tools.clock, tools.sleep, stop_at))
    except (FeedRefused, LoginRefused) as refusal:
        outcome = _Outcome("refused", str(refusal))
    except Unavailable as error:
        await work.write(_Outcome("failed", _told(error)))
        raise
    await work.write(outcome)
    return {"slice": number, "attempt": row.attempt, "state": outcome.state, "reason": outcome.reason[:_EXCERPT]}


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: SliceState
    reason: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Work:
    """One try in progress."""

    order: SliceAttempt
    row: SliceRow
    tools: SliceTools
    tally: StreamCounts = field(default_factory=StreamCounts)

    async def run(self, pace: SliceClock) -> _Outcome:
        stop_at = pace.stop_at()
        if stop_at is not None and (stop_at <= self.row.slice.start or self.order.plan.past):
            return _Outcome("skipped", "The window was stopped before this slice began.")
        stream = self.order.plan.streams[0]
        async with self.tools.hubs.sender(stream.hub) as sender:
            try:
                return _Outcome("done", report=await self._ingest(sender, pace))
            except SendFailed as failure:
                self.tally.delivery += failure.delivery
                raise

    async def _ingest(self, sender: Sender, pace: SliceClock) -> Mapping[str, Any]:
        feed = self.order.plan.window.feed
        if CATALOGUE[feed].kind == "live":
            source = slice_source(self.order, self.tools.markets(), pace)
            attempt_id = self.order.part.attempt_id(self.order.attempt)
            return await send_all(source, self.order.plan.streams[0], attempt_id, sender, self.tally)
        drawn = self.tools.synthetic(feed)
        _check_fingerprint(self.order, drawn)
        await ingest_synthetic_slice(self.order, feed=drawn, sender=sender, pace=pace, tally=self.tally)
        return {}

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
            try:
                await _to_its_end(asyncio.to_thread(self.tools.ledger.write_attempt, self._row(_Outcome("running"))))
            except Unavailable as error:
                telemetry.warning(logger, "slice.progress_unwritten", window=self.row.slice.window_id, cause=error)

    async def write(self, outcome: _Outcome) -> None:
        """Write how the try ended, and tell it."""
        row = self._row(outcome)
        await asyncio.to_thread(self.tools.ledger.write_attempt, row)
        counts = {name: count for stream in row.counts.values() for name, count in stream.items()}
        correlation = {"window": row.slice.window_id, "slice": row.slice.number, "attempt": row.attempt}
        telemetry.info(logger, f"slice.{outcome.state}", **correlation, **counts)

    def _row(self, outcome: _Outcome) -> SliceRow:
        counts = {self.order.plan.streams[0].name: self.tally.as_wire()}
        now = self.tools.clock()
        return replace(
            self.row,
            state=outcome.state,
            updated_at=now,
            counts=counts,
            report=outcome.report,
            reason=outcome.reason,
        )


async def send_all(
    source: SliceSource, stream: StreamPlan, attempt_id: str, sender: Sender, tally: StreamCounts
) -> Mapping[str, Any]:
    """Send all that a source of one stream gives, and give its report."""
    packing = Packing(mode=stream.packing, encoding=stream.encoding)
    async with aclosing(source.batches()) as batches:
        async for batch in batches:
            records = batch[stream.name]
            events, refusals = as_events(
                records, packing, contract=stream.contract, slice_id=attempt_id, partitions=stream.partitions
            )
            tally.read += len(records)
            tally.delivery += Delivery(refusals=refusals)
            delivery = await sender.send(events)
            tally.delivery += delivery
    return source.report()


def _check_fingerprint(order: SliceAttempt, feed: SyntheticFeed) -> None:
    if feed.fingerprint != order.plan.fingerprint:
        raise Unavailable(
            f"The pools here ({feed.fingerprint}) are not those that window {order.plan.window.id} was planned with "
            f"({order.plan.fingerprint}); this worker can't draw the same records."
        )


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await a thread's work even when cancelled: it goes on, and must not overtake what is written next."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    finally:
        await asyncio.gather(task, return_exceptions=True)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
