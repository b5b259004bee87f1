"""The source of a drawn feed's slice: records of all its streams, each when it is due by the grid."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.pacing import due, next_tick
from shared.domain.windows.plan import SliceAttempt
from shared.domain.windows.window import microseconds
from shared.feeds.feed import Draw, Position
from shared.feeds.slicing import SliceClock, StreamRecords

TICK = timedelta(milliseconds=100)
PACKS_TICK = timedelta(milliseconds=500)
"""How often packs are sent: five times as many records share one that way, and a hub is paid by the event."""

MOST_AT_ONCE = 16_384
_LONGEST_NAP = 1_000_000


@dataclass(frozen=True, slots=True)
class DrawnSlice:
    """Draws what is due; a slice that begins late, or was held up, gives what is overdue at once.

    A past slice goes at the plan's `speed`.
    """

    attempt: SliceAttempt
    draw: Draw
    time: SliceClock

    async def batches(self) -> AsyncGenerator[StreamRecords]:
        """Give the records of the primary stream's positions, and those of the other streams that follow from them."""
        plan = self.attempt.plan
        began = self.time.clock() if plan.past else self.attempt.part.start
        rate, before = plan.rate * plan.speed, self._before() / plan.speed
        tick = PACKS_TICK if any(stream.packing == "pack" for stream in plan.streams) else TICK
        drawn = 0
        while drawn < (limit := self._limit(self.time.stop_at())):
            elapsed = microseconds(self.time.clock()) - microseconds(began)
            ready = min(due(elapsed, rate, limit, before) - drawn, MOST_AT_ONCE)
            if ready > 0:
                yield self.draw(self._position(drawn, ready))
                drawn += ready
            else:
                await self.time.sleep(_until_next(elapsed, rate, tick, before))

    def report(self) -> Mapping[str, Any]:
        """Say nothing: what was drawn is what was counted."""
        return {}

    def progress(self) -> Mapping[str, Any]:
        """Say nothing: every try draws anew."""
        return {}

    def _position(self, first: int, count: int) -> Position:
        part, plan = self.attempt.part, self.attempt.plan
        start = microseconds(part.start)
        return Position(part.window_id, part.number, first, count, start, plan.rate, plan.options)

    def _limit(self, stop_at: datetime | None) -> int:
        """Count the records of the slice that lie before its end and before the stop; a past one stops at once."""
        plan, part = self.attempt.plan, self.attempt.part
        total = plan.records(part)
        if stop_at is None:
            return total
        if plan.past:
            return 0
        return due(microseconds(stop_at) - microseconds(part.start), plan.rate, total, self._before())

    def _before(self) -> int:
        """Give the microseconds of the window that lie before the slice."""
        return microseconds(self.attempt.part.start) - microseconds(self.attempt.plan.window.start)


def _until_next(elapsed: int, rate: float, tick: timedelta, before: float) -> float:
    at = next_tick(elapsed, rate, tick // timedelta(microseconds=1), before)
    return min(at - elapsed, _LONGEST_NAP) / 1_000_000
