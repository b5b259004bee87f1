"""Carries parcels: attempt after attempt by the schedule, until each is delivered or dead."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.event_grid.dead_letters import DeadLetterBox, StorageUnavailable
from emulators.event_grid.endpoints import Endpoints
from emulators.event_grid.faults import Faults
from emulators.event_grid.journal import Journal
from emulators.event_grid.parcels import Parcel
from emulators.event_grid.schedule import EXPIRED, TIMED_OUT, Outcome, Step, Turn, next_step

_BOX_PAUSE_SECONDS = 60.0
_BOX_PATIENCE_SECONDS = 4 * 3600.0
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Courier:
    """What carrying needs; `scale` shortens the pauses of the schedule and the time to live."""

    endpoints: Endpoints
    box: DeadLetterBox
    journal: Journal
    faults: Faults
    scale: float
    clock: Callable[[], datetime]

    async def carry(self, parcel: Parcel) -> None:
        """Deliver a parcel, however many attempts that takes, or put it among the dead letters."""
        await self.follow(parcel, await self.attempt(parcel))

    async def follow(self, parcel: Parcel, step: Step) -> None:
        """Go on after an attempt that ended with `step`."""
        while step.turn is Turn.AGAIN:
            await asyncio.sleep(step.seconds * self.scale)
            step = await self.attempt(parcel)
        if step.turn is Turn.DEAD:
            await self._bury(parcel, step.reason)

    async def attempt(self, parcel: Parcel) -> Step:
        """Try once, unless the event has outlived its time."""
        began = self.clock()
        if began > self._end_of_life(parcel):
            return Step(Turn.DEAD, reason=EXPIRED)
        start = time.perf_counter()
        parcel.note(await self._outcome(parcel), began)
        self.journal.attempted(parcel, time.perf_counter() - start)
        step = _step_of(parcel)
        _logger.info(
            "event_grid.attempted subscription=%s event=%s attempt=%d outcome=%s next=%s",
            parcel.subscription.name, parcel.event.id, parcel.attempts, parcel.outcome, step.turn.name,
        )  # fmt: skip
        return step

    async def _outcome(self, parcel: Parcel) -> Outcome:
        lost = self.faults.strike("lose_answer", parcel.subscription.name)
        outcome = await self.endpoints.deliver(parcel)
        return TIMED_OUT if lost else outcome

    def _end_of_life(self, parcel: Parcel) -> datetime:
        life = timedelta(minutes=parcel.subscription.event_time_to_live_in_minutes)
        return parcel.published + life * self.scale

    async def _bury(self, parcel: Parcel, reason: str) -> None:
        blob = await self._boxed(parcel, reason)
        self.journal.died(parcel, reason, blob)
        _logger.warning(
            "event_grid.dead subscription=%s event=%s attempts=%d reason=%s blob=%s",
            parcel.subscription.name, parcel.event.id, parcel.attempts, reason, blob,
        )  # fmt: skip

    async def _boxed(self, parcel: Parcel, reason: str) -> str | None:
        """Write the dead letter; storage that stays away for four hours (scaled) loses it, as in Azure."""
        for _ in range(int(_BOX_PATIENCE_SECONDS / _BOX_PAUSE_SECONDS)):
            try:
                return await self.box.put(parcel, reason)
            except StorageUnavailable as error:
                _logger.warning("event_grid.dead_letter_delayed event=%s error=%s", parcel.event.id, error)
                await asyncio.sleep(_BOX_PAUSE_SECONDS * self.scale)
        return None


def _step_of(parcel: Parcel) -> Step:
    return next_step(parcel.outcome or TIMED_OUT, parcel.attempts, parcel.subscription.max_delivery_attempts)
