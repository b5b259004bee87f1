"""Event Hubs: delivers events to hubs, and says honestly what became of them."""

import asyncio
import contextlib
import secrets
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.clients.event_hubs.amqp import AmqpLink, HubConnection
from shared.clients.event_hubs.attempts import Attempts
from shared.clients.event_hubs.breaker import Breaker
from shared.clients.event_hubs.sender import HubSender
from shared.clients.identity.identity import Identity
from shared.clients.retrying import Rhythm, Timeouts
from shared.domain.delivery import Delivery, Event, Refusal
from shared.errors import SendFailed

__all__ = ["AzureEventHubs", "EventHubs", "FakeEventHubs", "HubConnection", "Sender", "real_rhythm"]


class Sender(Protocol):
    """Sends to one hub."""

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events, in order for each key and partition; raises SendFailed or LoginRefused."""


class EventHubs(Protocol):
    """The hubs of one namespace."""

    def sender(self, hub: str) -> AbstractAsyncContextManager[Sender]:
        """Connect to a hub for as long as the context lasts; for one event loop."""

    async def positions(self, hub: str) -> dict[str, int]:
        """Ask for the last sequence number of each of a hub's partitions, -1 for an empty one.

        Raises SendFailed or LoginRefused.
        """


def real_rhythm() -> Rhythm:
    """Give the rhythm of the real world."""
    return Rhythm(time.monotonic, asyncio.sleep, secrets.SystemRandom().random)


@dataclass(frozen=True, slots=True)
class AzureEventHubs:
    """Hubs behind AMQP. Holds nothing that is bound to a loop: each sender makes and closes its own connections."""

    connection: HubConnection
    identity: Identity
    rhythm: Rhythm = field(default_factory=real_rhythm)
    patience: Timeouts = field(default_factory=Timeouts)
    breaker: Breaker = field(default_factory=Breaker)

    @contextlib.asynccontextmanager
    async def sender(self, hub: str) -> AsyncIterator[HubSender]:
        """Lend a sender; closes its connections at the end."""
        sender = self._make_sender(hub)
        try:
            yield sender
        finally:
            await sender.close()

    async def positions(self, hub: str) -> dict[str, int]:
        """Ask the hub itself."""
        async with self.sender(hub) as sender:
            return await sender.positions()

    def _make_sender(self, hub: str) -> HubSender:
        attempts = Attempts(
            place=f"hub {hub} at {self.connection.fully_qualified_namespace}",
            client_id=self.identity.client_id,
            patience=self.patience,
            rhythm=self.rhythm,
            breaker=self.breaker,
        )
        return HubSender(attempts, lambda: AmqpLink(self.connection, hub, self.identity))


type _Fate = Literal["refused", "unknown", "unavailable"]


@dataclass(slots=True)
class FakeEventHubs:
    """Keeps what it is given, by hub in the order of arrival; `hubs` maps the known ones to their partitions.

    An event over `limit` bytes is refused. `fail_next` decides the fate of the next sends.
    """

    hubs: Mapping[str, int]
    limit: int = 1_000_000
    received: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    _fates: deque[_Fate] = field(default_factory=deque, init=False)

    def fail_next(self, fate: _Fate, sends: int = 1) -> None:
        """Let the next sends be refused by the hub, end unknown (but stored), or find no hub at all."""
        self._fates.extend([fate] * sends)

    @contextlib.asynccontextmanager
    async def sender(self, hub: str) -> AsyncIterator[Sender]:
        """Lend a sender to the hub."""
        yield _FakeSender(self, hub)

    async def positions(self, hub: str) -> dict[str, int]:
        """Count what each partition was sent by its id; raises SendFailed for an unknown hub."""
        if hub not in self.hubs:
            raise SendFailed(f"hub {hub} is not known")
        sent = Counter(event.partition_id for event in self.received[hub])
        return {str(partition): sent[str(partition)] - 1 for partition in range(self.hubs[hub])}

    def take(self, hub: str, events: Sequence[Event]) -> Delivery:
        """Do what the next fate says."""
        if hub not in self.hubs:
            raise SendFailed(f"hub {hub} is not known")
        fate = self._fates.popleft() if self._fates else None
        rows = sum(event.rows for event in events)
        if fate == "unavailable":
            raise SendFailed(f"hub {hub}: {rows} of {rows} records were not delivered")
        if fate == "refused":
            return Delivery(refusals=(Refusal(rows, "refused on demand"),))
        return self._store(hub, events, is_unknown=fate == "unknown")

    def _store(self, hub: str, events: Sequence[Event], *, is_unknown: bool) -> Delivery:
        fitting = [event for event in events if len(event.body) <= self.limit]
        rows = sum(event.rows for event in fitting)
        self.received[hub] += fitting
        if is_unknown:
            raise SendFailed(f"hub {hub}: {rows} records may be stored", Delivery(unknown=rows))
        refusals = tuple(_oversize(event, self.limit) for event in events if len(event.body) > self.limit)
        return Delivery(rows, events=len(fitting), refusals=refusals)


@dataclass(frozen=True, slots=True)
class _FakeSender:
    hubs: FakeEventHubs
    hub: str

    async def send(self, events: Sequence[Event]) -> Delivery:
        return self.hubs.take(self.hub, events)


def _oversize(event: Event, limit: int) -> Refusal:
    return Refusal(event.rows, f"an event of {len(event.body)} bytes is over {limit}")
