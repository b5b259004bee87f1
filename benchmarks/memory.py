"""Memory of a slice: how much a worker grows while it ingests 50,000 records a second, packed, for a minute."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import psutil

from benchmarks.interleaved import Row
from benchmarks.sending import running_hub
from shared.clients.destination import Sender
from shared.domain.windows.plan import PlanTemplate, SliceAttempt, StreamPlan
from shared.domain.windows.window import Window
from shared.feeds.drawing.pool import Pool
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments
from shared.feeds.slicing import SliceClock, StreamCounts
from shared.flows.drawn_slice import DrawnSlice
from shared.flows.outlet import Outlet, deliver

RATE = 50_000.0
SECONDS = 60
MOST_MEGABYTES = 150.0
SAMPLE_EVERY = 0.5


def rows() -> list[Row]:
    """Run one slice for a minute against a hub in a process of its own; sample this process's resident memory."""
    pool = build(1)
    with running_hub() as hub:
        grown, counts, late = asyncio.run(measured(hub.hubs.sender("transactions"), pool))
    note = f"{counts.delivery.accepted:,} records accepted in {SECONDS + late:.1f} s"
    return [Row("slice memory, MB grown", f"{RATE:,.0f} records/s for {SECONDS} s", grown, MOST_MEGABYTES, True, note)]


async def measured(connected: AbstractAsyncContextManager[Sender], pool: Pool) -> tuple[float, StreamCounts, float]:
    """Run the slice; gives the megabytes grown, what became of its records, and the seconds that it ended late."""
    attempt, counts, process = _attempt(pool.fingerprint), StreamCounts(), psutil.Process()
    base = peak = process.memory_info().rss
    time = SliceClock(lambda: datetime.now(UTC), asyncio.sleep, lambda: None)
    source, (stream,) = DrawnSlice(attempt, Payments(pool).draw, time), attempt.plan.streams
    async with connected as sender:
        outlets = {stream.name: Outlet(stream, attempt.part.attempt_id(1), sender, counts)}
        slice_ = asyncio.create_task(deliver(source, outlets))
        while not slice_.done():
            await asyncio.wait({slice_}, timeout=SAMPLE_EVERY)
            peak = max(peak, process.memory_info().rss)
    slice_.result()
    late = (datetime.now(UTC) - attempt.part.end).total_seconds()
    return (peak - base) / 1e6, counts, late


def _attempt(fingerprint: str) -> SliceAttempt:
    start = datetime.now(UTC).replace(microsecond=0)
    length = timedelta(seconds=SECONDS)
    stream = StreamPlan("transactions", ("transactions",), "transactions/1", "pack", "identity", 4)
    template = PlanTemplate(length, timedelta(), timedelta(), RATE, 1.0, (), (stream,))
    plan = template.freeze(Window("payments", start, start + length), start, fingerprint, {"transactions": 4})
    return SliceAttempt(plan, plan.slices()[0], 1)
