"""Writes events into one container: records as items, side by side for different partition keys, with honest counts."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from shared import telemetry
from shared.clients.attempts import Attempts, GaveUp, undelivered
from shared.clients.cosmos.items import Items
from shared.clients.cosmos.link import ContainerLink, ItemRejected
from shared.clients.cosmos.queues import KeyQueue, queues
from shared.clients.cosmos.settling import Settling, delivery_of, settling_of
from shared.clients.destination import OnRefusal
from shared.clients.links import LinkFault, LinkSlot
from shared.clients.progress import SendProgress
from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused

logger = logging.getLogger(__name__)


class CosmosSender:
    """Sends to one container; made for one loop, closed at the end.

    Records go in transactional batches of one partition key, those of a key in their order. An item that was written
    before is written over, so what is sent twice is there once.
    """

    def __init__(
        self,
        attempts: Attempts,
        make_link: Callable[[], ContainerLink],
        items: Items,
        on_refusal: OnRefusal | None = None,
        side_by_side: int = 8,
    ) -> None:
        """Prepare; nothing connects before the first send."""
        self._attempts = attempts
        self._items = items
        self._on_refusal = on_refusal
        self._slot = LinkSlot(make_link)
        self._side_by_side = asyncio.Semaphore(side_by_side)
        self._meter = _Meter()
        self._progress = SendProgress(since=attempts.retry.clock.now())

    @property
    def rest(self) -> float:
        """Give the seconds for which the container is left alone."""
        return self._attempts.rest

    @property
    def charge(self) -> Charge:
        """Give what everything that was sent so far has cost."""
        return self._meter.charge(self._attempts.retry.clock.now())

    async def send(self, events: Sequence[Event], *, briefly: bool = False) -> Delivery:
        """Deliver the events; accepted and refused records sum up to theirs.

        Raises SendFailed where some could not be settled within the deadline: its `unsettled` are those events, whose
        records that were written all the same count as unknown. LoginRefused where the client is denied access.
        """
        deadline = self._attempts.deadline(briefly=briefly)
        self._progress.begin(sum(event.rows for event in events))
        settling, parts = settling_of(events, self._items)
        self._meter.begin(self._attempts.retry.clock.now())
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(self._carry(queue, deadline)) for queue in queues(parts)]
        finally:
            self._meter.end(self._attempts.retry.clock.now())
        return self._verdict(settling, [failure for task in running if (failure := task.result())])

    async def close(self) -> None:
        """Close all connections."""
        await self._slot.close()

    async def _carry(self, queue: KeyQueue, deadline: float) -> GaveUp | LoginRefused | None:
        async with self._side_by_side:
            try:
                while not queue.is_done:
                    await self._send_next(queue, deadline)
                    self._log_progress()
            except (GaveUp, LoginRefused) as failure:
                queue.abandon()
                return failure
        return None

    async def _send_next(self, queue: KeyQueue, deadline: float) -> None:
        batch = queue.next()
        contents = [part.content for part in batch]

        async def upsert(link: ContainerLink) -> float:
            await link.open()
            try:
                return await link.upsert(queue.partition_key, contents)
            except LinkFault as fault:
                queue.may_be_stored |= fault.may_be_stored
                self._meter.throttled += fault.kind is FailureKind.THROTTLED
                raise
            except asyncio.CancelledError:
                queue.may_be_stored = True
                raise

        try:
            units = await self._attempts.run(self._slot, deadline, upsert)
        except ItemRejected as rejected:
            queue.reject(batch, rejected)
        else:
            self._meter.add(units)
            self._progress.settle(events=0, rows=len(batch))
            queue.accept(batch)

    def _verdict(self, settling: Sequence[Settling], failures: Sequence[GaveUp | LoginRefused]) -> Delivery:
        delivery = delivery_of(settling, self._on_refusal)
        unsettled = [one.event for one in settling if not one.is_settled]
        self._progress.fail(delivery.refused + sum(event.rows for event in unsettled))
        if not failures:
            return delivery
        raise undelivered(self._attempts.place, failures, delivery, unsettled, [one.event for one in settling])

    def _log_progress(self) -> None:
        line = self._progress.line(self._attempts.retry.clock.now())
        if line is not None:
            charge = self.charge
            units = {"units": round(charge.units, 1), "units_s": round(charge.units_per_second, 1)}
            telemetry.info(logger, "cosmos.progress", place=self._attempts.place, **asdict(line), **units)


@dataclass(slots=True)
class _Meter:
    """Adds up what sends cost, and how long at least one of them was under way."""

    units: float = 0.0
    requests: int = 0
    throttled: int = 0
    _seconds: float = 0.0
    _running: int = 0
    _since: float = 0.0

    def begin(self, now: float) -> None:
        self._since = self._since if self._running else now
        self._running += 1

    def end(self, now: float) -> None:
        self._running -= 1
        if not self._running:
            self._seconds += now - self._since

    def add(self, units: float) -> None:
        self.units += units
        self.requests += 1

    def charge(self, now: float) -> Charge:
        seconds = self._seconds + (now - self._since if self._running else 0.0)
        return Charge(self.units, self.requests, self.throttled, seconds * 1000)
