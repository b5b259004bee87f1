"""The topic: takes events in, gives each subscription those it wants, and does so out of order where it is told to."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulators.event_grid.courier import Courier
from emulators.event_grid.endpoints import Endpoints
from emulators.event_grid.events import Event, Schema, type_names
from emulators.event_grid.faults import FaultOrder
from emulators.event_grid.parcels import Parcel
from emulators.event_grid.subscriptions import Subscription

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """Deliveries that wait to be made last first."""

    wanted: int
    parcels: list[Parcel] = field(default_factory=list)
    full: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Standing:
    """A subscription and whether its endpoint has been validated; deliveries wait until it is."""

    subscription: Subscription
    validated: asyncio.Event = field(default_factory=asyncio.Event)
    removed: bool = False


class Grid:
    """One topic with its subscriptions; everything it has begun ends with `close`."""

    def __init__(self, courier: Courier, endpoints: Endpoints) -> None:
        self.courier = courier
        self.standings: dict[str, Standing] = {}
        self._endpoints = endpoints
        self._held: dict[int, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def subscribe(self, subscription: Subscription) -> None:
        """Add or replace a subscription, and ask its endpoint until it agrees."""
        self.unsubscribe(subscription.name)
        standing = Standing(subscription)
        self.standings[subscription.name.lower()] = standing
        self._begin(self._validate(standing))

    def unsubscribe(self, name: str) -> bool:
        """Remove a subscription; what it has not yet been given is dropped. Says whether there was one."""
        standing = self.standings.pop(name.lower(), None)
        if standing is not None:
            standing.removed = True
            standing.validated.set()
        return standing is not None

    def publish(self, events: Sequence[Event]) -> None:
        """Take accepted events and begin their deliveries."""
        now = self.courier.clock()
        _logger.info("event_grid.published events=%d types=%s", len(events), type_names(events))
        for event in events:
            wanting = [standing for standing in self.standings.values() if _wants(standing.subscription, event)]
            self.courier.journal.published(event, [standing.subscription.name for standing in wanting], now)
            for standing in wanting:
                self._dispatch(standing, Parcel(event, standing.subscription, now))

    async def close(self) -> None:
        """Abandon whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _dispatch(self, standing: Standing, parcel: Parcel) -> None:
        faults, name = self.courier.faults, standing.subscription.name
        if faults.strike("duplicate", name):
            self._begin(self._deliver(standing, Parcel(parcel.event, parcel.subscription, parcel.published)))
        if order := faults.strike("out_of_order", name):
            self._hold(standing, parcel, order)
            return
        late = faults.strike("late", name)
        self._begin(self._deliver(standing, parcel, late.seconds if late else 0.0))

    async def _deliver(self, standing: Standing, parcel: Parcel, late: float = 0.0) -> None:
        await asyncio.sleep(late)
        await standing.validated.wait()
        if not standing.removed:
            await self.courier.carry(parcel)

    def _hold(self, standing: Standing, parcel: Parcel, order: FaultOrder) -> None:
        held = self._held.get(id(order))
        if held is None:
            held = self._held[id(order)] = _Held(order.count)
            self._begin(self._release(standing, held, order))
        held.parcels.append(parcel)
        if len(held.parcels) == held.wanted:
            held.full.set()

    async def _release(self, standing: Standing, held: _Held, order: FaultOrder) -> None:
        await standing.validated.wait()
        try:
            async with asyncio.timeout(order.seconds):
                await held.full.wait()
        except TimeoutError:
            _logger.info("event_grid.order_incomplete held=%d wanted=%d", len(held.parcels), held.wanted)
        del self._held[id(order)]
        for parcel in reversed(held.parcels):
            step = await self.courier.attempt(parcel)
            self._begin(self.courier.follow(parcel, step))

    async def _validate(self, standing: Standing) -> None:
        pause = _FIRST_PAUSE
        while not standing.removed:
            if await self._endpoints.validate(standing.subscription):
                _logger.info("event_grid.validated subscription=%s", standing.subscription.name)
                standing.validated.set()
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _logger.critical("event_grid.task_failed", exc_info=error)


def _wants(subscription: Subscription, event: Event) -> bool:
    """Apply the filters; Azure has no EventGridSchema subscription on a topic that takes CloudEvents."""
    wanted = subscription.wants(event)
    if wanted and subscription.event_delivery_schema is Schema.EVENT_GRID and event.schema is Schema.CLOUD_EVENTS:
        _logger.warning("event_grid.wrong_schema subscription=%s event=%s", subscription.name, event.id)
        return False
    return wanted
