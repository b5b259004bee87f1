"""A sender with its spill around it, as a slice has it, and how long the spill took once the hub had failed."""

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.clients.destination import RestingSender
from shared.clients.event_hubs.hubs import Breaker, EventHubs
from shared.clients.spilling import Spilling, spilling
from shared.clients.storage.spill import Spill
from shared.domain.delivery import Delivery, Event
from shared.errors import SendFailed
from tests.integration.sending.stage import QUICK, Platform, listener

WINDOW = "trades-20261122T100000Z"


@dataclass
class Timed:
    """The sender to a hub, and when it last failed (seconds of the monotonic clock)."""

    sender: RestingSender
    failed_at: float = 0.0

    @property
    def rest(self) -> float:
        return self.sender.rest

    async def send(self, events: Sequence[Event], *, briefly: bool = False) -> Delivery:
        try:
            return await self.sender.send(events, briefly=briefly)
        except SendFailed:
            self.failed_at = time.monotonic()
            raise


@dataclass
class Slice:
    """A slice's way out. waited: what each send took; kept: of it, from the hub's failure (or at once) to the end."""

    around: Spilling
    timed: Timed
    waited: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)

    async def send(self, events: Sequence[Event]) -> Delivery:
        began = time.monotonic()
        delivery = await self.around.send(events)
        ended = time.monotonic()
        self.waited.append(ended - began)
        if delivery.spilled:
            self.kept.append(ended - max(began, self.timed.failed_at))
        return delivery


@contextlib.asynccontextmanager
async def spilling_slice(
    hubs: EventHubs, spill: Spill, hub: str, number: int, stream: str = "trades"
) -> AsyncIterator[Slice]:
    """Connect one slice to a hub and its spill for the length of a block."""
    async with hubs.sender(hub) as sender:
        timed = Timed(sender)
        names = {"stream": stream, "hub": hub, "attempt_id": f"{WINDOW}/{number}.1"}
        async with spilling(timed, spill, clock=lambda: datetime.now(UTC), **names) as around:
            yield Slice(around, timed)


@contextlib.asynccontextmanager
async def unreachable(platform: Platform) -> AsyncIterator[EventHubs]:
    """Give the platform's hubs at an address where nobody listens."""
    async with listener() as address:
        pass
    connection = platform.connection(custom_endpoint=address)
    yield platform.hubs(connection=connection, retry=QUICK, breaker=Breaker(rest=30.0))
