"""Makes deliveries: attempt after attempt by the schedule, until each has arrived or is given up."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.event_grid.dead_letters import DeadLetterStore, StorageUnavailable
from emulators.event_grid.deliveries import Delivery
from emulators.event_grid.endpoints import Endpoints
from emulators.event_grid.faults import Faults
from emulators.event_grid.journal import Journal
from emulators.event_grid.schedule import EXPIRED, TIMED_OUT, DeliveryOutcome, Step, Turn, next_step

_STORE_RETRY_SECONDS = 60.0
_STORE_GIVE_UP_SECONDS = 4 * 3600.0
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class DeliveryWorker:
    """What deliveries need; `scale` shortens the pauses of the schedule and the time to live."""

    endpoints: Endpoints
    dead_letters: DeadLetterStore
    journal: Journal
    faults: Faults
    scale: float
    clock: Callable[[], datetime]

    async def deliver(self, delivery: Delivery) -> None:
        """Make a delivery, however many attempts it takes, or put it among the dead letters."""
        await self.finish(delivery, await self.attempt(delivery))

    async def finish(self, delivery: Delivery, step: Step) -> None:
        """Go on after an attempt that ended with `step`."""
        while step.turn is Turn.AGAIN:
            await asyncio.sleep(step.seconds * self.scale)
            step = await self.attempt(delivery)
        if step.turn is Turn.DEAD:
            await self._give_up(delivery, step.reason)

    async def attempt(self, delivery: Delivery) -> Step:
        """Try once, unless the event has outlived its time."""
        began = self.clock()
        if began > self._end_of_life(delivery):
            return Step(Turn.DEAD, reason=EXPIRED)
        start = time.perf_counter()
        delivery.note(await self._outcome(delivery), began)
        self.journal.attempted(delivery, time.perf_counter() - start)
        step = _step_of(delivery)
        _logger.info(
            "event_grid.attempted subscription=%s event=%s attempt=%d outcome=%s next=%s",
            delivery.subscription.name, delivery.event.id, delivery.attempts, delivery.outcome, step.turn.name,
        )  # fmt: skip
        return step

    async def _outcome(self, delivery: Delivery) -> DeliveryOutcome:
        lost = self.faults.take("lose_answer", delivery.subscription.name)
        outcome = await self.endpoints.deliver(delivery)
        return TIMED_OUT if lost else outcome

    def _end_of_life(self, delivery: Delivery) -> datetime:
        life = timedelta(minutes=delivery.subscription.event_time_to_live_in_minutes)
        return delivery.published + life * self.scale

    async def _give_up(self, delivery: Delivery, reason: str) -> None:
        blob = await self._stored(delivery, reason)
        self.journal.gave_up(delivery, reason, blob)
        _logger.warning(
            "event_grid.dead subscription=%s event=%s attempts=%d reason=%s blob=%s",
            delivery.subscription.name, delivery.event.id, delivery.attempts, reason, blob,
        )  # fmt: skip

    async def _stored(self, delivery: Delivery, reason: str) -> str | None:
        """Write the dead letter; storage that stays away for four hours (scaled) loses it, as in Azure."""
        for _ in range(int(_STORE_GIVE_UP_SECONDS / _STORE_RETRY_SECONDS)):
            try:
                return await self.dead_letters.put(delivery, reason)
            except StorageUnavailable as error:
                _logger.warning("event_grid.dead_letter_delayed event=%s error=%s", delivery.event.id, error)
                await asyncio.sleep(_STORE_RETRY_SECONDS * self.scale)
        return None


def _step_of(delivery: Delivery) -> Step:
    return next_step(delivery.outcome or TIMED_OUT, delivery.attempts, delivery.subscription.max_delivery_attempts)
