"""The topic: takes events in and gives each subscription those it wants, out of order where a fault says so."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulators.event_grid.deliveries import Delivery
from emulators.event_grid.delivery_worker import DeliveryWorker
from emulators.event_grid.endpoints import Endpoints
from emulators.event_grid.events import Event, Schema, type_names
from emulators.event_grid.faults import Fault
from emulators.event_grid.subscriptions import Subscription

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """Deliveries that wait to be made last first."""

    wanted: int
    deliveries: list[Delivery] = field(default_factory=list)
    full: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class SubscriptionState:
    """A subscription and whether its endpoint has been validated; deliveries wait until it is."""

    subscription: Subscription
    validated: asyncio.Event = field(default_factory=asyncio.Event)
    removed: bool = False


class Grid:
    """One topic with its subscriptions; everything it has begun ends with `close`."""

    def __init__(self, worker: DeliveryWorker, endpoints: Endpoints) -> None:
        self.worker = worker
        self.states: dict[str, SubscriptionState] = {}
        self._endpoints = endpoints
        self._held: dict[int, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def subscribe(self, subscription: Subscription) -> None:
        """Add or replace a subscription, and ask its endpoint until it agrees."""
        self.unsubscribe(subscription.name)
        state = SubscriptionState(subscription)
        self.states[subscription.name.lower()] = state
        self._begin(self._validate(state))

    def unsubscribe(self, name: str) -> bool:
        """Remove a subscription; what it has not yet been given is dropped. Says whether there was one."""
        state = self.states.pop(name.lower(), None)
        if state is not None:
            state.removed = True
            state.validated.set()
        return state is not None

    def publish(self, events: Sequence[Event]) -> None:
        """Take accepted events and begin their deliveries."""
        now = self.worker.clock()
        _logger.info("event_grid.published events=%d types=%s", len(events), type_names(events))
        for event in events:
            wanting = [state for state in self.states.values() if _wants(state.subscription, event)]
            self.worker.journal.published(event, [state.subscription.name for state in wanting], now)
            for state in wanting:
                self._dispatch(state, Delivery(event, state.subscription, now))

    async def close(self) -> None:
        """Abandon whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _dispatch(self, state: SubscriptionState, delivery: Delivery) -> None:
        faults, name = self.worker.faults, state.subscription.name
        if faults.take("duplicate", name):
            self._begin(self._deliver(state, Delivery(delivery.event, delivery.subscription, delivery.published)))
        if fault := faults.take("out_of_order", name):
            self._hold(state, delivery, fault)
            return
        late = faults.take("late", name)
        self._begin(self._deliver(state, delivery, late.seconds if late else 0.0))

    async def _deliver(self, state: SubscriptionState, delivery: Delivery, late: float = 0.0) -> None:
        await asyncio.sleep(late)
        await state.validated.wait()
        if not state.removed:
            await self.worker.deliver(delivery)

    def _hold(self, state: SubscriptionState, delivery: Delivery, fault: Fault) -> None:
        held = self._held.get(id(fault))
        if held is None:
            held = self._held[id(fault)] = _Held(fault.count)
            self._begin(self._release(state, held, fault))
        held.deliveries.append(delivery)
        if len(held.deliveries) == held.wanted:
            held.full.set()

    async def _release(self, state: SubscriptionState, held: _Held, fault: Fault) -> None:
        await state.validated.wait()
        try:
            async with asyncio.timeout(fault.seconds):
                await held.full.wait()
        except TimeoutError:
            _logger.info("event_grid.order_incomplete held=%d wanted=%d", len(held.deliveries), held.wanted)
        del self._held[id(fault)]
        for delivery in reversed(held.deliveries):
            step = await self.worker.attempt(delivery)
            self._begin(self.worker.finish(delivery, step))

    async def _validate(self, state: SubscriptionState) -> None:
        pause = _FIRST_PAUSE
        while not state.removed:
            if await self._endpoints.validate(state.subscription):
                _logger.info("event_grid.validated subscription=%s", state.subscription.name)
                state.validated.set()
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
