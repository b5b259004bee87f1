"""Ingesting one slice of a synthetic feed: draw what is due by the grid, make events of it, send them."""

from datetime import datetime, timedelta
from typing import Protocol

from shared.clients.event_hubs.hubs import Sender
from shared.domain.delivery import Delivery
from shared.domain.pacing import due, next_tick
from shared.domain.windows.plan import SliceAttempt
from shared.domain.windows.window import microseconds
from shared.feeds.packing import Packing, as_events
from shared.feeds.records import Records
from shared.feeds.slicing import SliceClock, StreamCounts

TICK = timedelta(milliseconds=500)
MOST_AT_ONCE = 16_384
_LONGEST_NAP = 1_000_000


class SyntheticFeed(Protocol):
    """A feed whose records are drawn; the same positions always give the same records.

    fingerprint: names the pools that they are drawn from.
    """

    @property
    def fingerprint(self) -> str:
        """Name the pools."""

    def draw(self, window_id: str, slice_number: int, first: int, count: int, start: int, rate: float) -> Records:
        """Draw the records at positions `[first, first + count)` of a slice that starts at `start` (µs)."""


async def ingest_synthetic_slice(
    order: SliceAttempt, *, feed: SyntheticFeed, sender: Sender, pace: SliceClock, tally: StreamCounts
) -> None:
    """Send the slice's records of the plan's one stream, each when it is due; raises SendFailed.

    A slice that begins late, or was held up, sends what is overdue at once; a past one goes at the plan's `speed`.
    """
    plan, began = order.plan, pace.clock() if order.plan.past else order.part.start
    while tally.read < (limit := _limit(order, pace.stop_at())):
        elapsed = microseconds(pace.clock()) - microseconds(began)
        ready = due(elapsed, plan.rate * plan.speed, limit) - tally.read
        if ready > 0:
            await _send(order, min(ready, MOST_AT_ONCE), feed, sender, tally)
        else:
            await pace.sleep(_until_next(elapsed, plan.rate * plan.speed))


def _limit(order: SliceAttempt, stop_at: datetime | None) -> int:
    """Count the records of the slice that lie before its end and before the stop; a past one stops at once."""
    total = order.plan.records(order.part)
    if stop_at is None:
        return total
    if order.plan.past:
        return 0
    return due(microseconds(stop_at) - microseconds(order.part.start), order.plan.rate, total)


def _until_next(elapsed: int, rate: float) -> float:
    tick = next_tick(elapsed, rate, TICK // timedelta(microseconds=1))
    return min(tick - elapsed, _LONGEST_NAP) / 1_000_000


async def _send(order: SliceAttempt, count: int, feed: SyntheticFeed, sender: Sender, tally: StreamCounts) -> None:
    part, stream = order.part, order.plan.streams[0]
    records = feed.draw(part.window_id, part.number, tally.read, count, microseconds(part.start), order.plan.rate)
    events, refusals = as_events(
        records,
        Packing(mode=stream.packing, encoding=stream.encoding),
        contract=stream.contract,
        slice_id=part.attempt_id(order.attempt),
        partitions=stream.partitions,
    )
    tally.read += count
    tally.delivery += Delivery(refusals=refusals)
    tally.delivery += await sender.send(events)
