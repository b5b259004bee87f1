"""Memory of a slice: how much a worker grows while it ingests 50,000 records a second, packed, for a minute."""

import asyncio
from datetime import UTC, datetime, timedelta

import psutil

from benchmarks.interleaved import Row
from benchmarks.sending import running_hub
from shared.clients.event_hubs.hubs import EventHubs
from shared.domain.windows.plan import PlanTemplate, SliceAttempt, StreamPlan
from shared.domain.windows.window import Window
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments
from shared.feeds.slicing import SliceClock, StreamCounts
from shared.flows.synthetic_slice import ingest_synthetic_slice

RATE = 50_000.0
SECONDS = 60
MOST_MEGABYTES = 150.0
SAMPLE_EVERY = 0.5


def rows() -> list[Row]:
    """Run one slice for a minute against a hub in a process of its own; sample this process's resident memory."""
    payments = Payments(build(1))
    with running_hub() as hub:
        grown, tally, late = asyncio.run(_measured(hub.hubs, payments))
    note = f"{tally.delivery.accepted:,} records accepted in {SECONDS + late:.1f} s"
    return [Row("slice memory, MB grown", f"{RATE:,.0f} records/s for {SECONDS} s", grown, MOST_MEGABYTES, True, note)]


async def _measured(hubs: EventHubs, payments: Payments) -> tuple[float, StreamCounts, float]:
    order, tally, process = _order(payments), StreamCounts(), psutil.Process()
    base = peak = process.memory_info().rss
    pace = SliceClock(lambda: datetime.now(UTC), asyncio.sleep, lambda: None)
    async with hubs.sender("transactions") as sender:
        slice_ = asyncio.create_task(
            ingest_synthetic_slice(order, feed=payments, sender=sender, pace=pace, tally=tally)
        )
        while not slice_.done():
            await asyncio.wait({slice_}, timeout=SAMPLE_EVERY)
            peak = max(peak, process.memory_info().rss)
    slice_.result()
    late = (datetime.now(UTC) - order.part.end).total_seconds()
    return (peak - base) / 1e6, tally, late


def _order(payments: Payments) -> SliceAttempt:
    start = datetime.now(UTC).replace(microsecond=0)
    length = timedelta(seconds=SECONDS)
    stream = StreamPlan("transactions", "transactions", "transactions/1", "pack", "identity", 4)
    template = PlanTemplate(length, timedelta(), timedelta(), RATE, 1.0, (), (stream,))
    plan = template.freeze(Window("payments", start, start + length), start, payments.fingerprint, {"transactions": 4})
    return SliceAttempt(plan, plan.slices()[0], 1)
