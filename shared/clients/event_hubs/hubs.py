"""Event Hubs: delivers events to hubs, and says honestly what became of them."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from shared.clients.attempts import Attempts
from shared.clients.breaker import Breaker
from shared.clients.destination import OnRefusal, RestingSender
from shared.clients.event_hubs.amqp import AmqpLink, HubConnection
from shared.clients.event_hubs.link import HubProperties
from shared.clients.event_hubs.sender import HubSender
from shared.clients.identity.credentials import Identity
from shared.clients.retrying import RetryPolicy, Timeouts

__all__ = ["AzureEventHubs", "Breaker", "EventHubs", "HubConnection", "HubProperties"]


class EventHubs(Protocol):
    """The hubs of one namespace."""

    def sender(
        self, hub: str, on_refusal: OnRefusal | None = None, *, ahead: bool = False
    ) -> AbstractAsyncContextManager[RestingSender]:
        """Connect to a hub for as long as the context lasts; for one event loop.

        on_refusal: told of each event that is refused, of which a delivery counts the records. ahead: connect to every
        partition at once, and not with the first events for it.
        """

    async def properties(self, hub: str) -> HubProperties:
        """Ask when a hub was made, and how far each of its partitions is; raises SendFailed or LoginRefused."""


@dataclass(frozen=True, slots=True)
class AzureEventHubs:
    """Hubs behind AMQP. Holds nothing that is bound to a loop: each sender makes and closes its own connections."""

    connection: HubConnection
    identity: Identity
    retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(Timeouts()))
    breaker: Breaker = field(default_factory=Breaker)

    @contextlib.asynccontextmanager
    async def sender(
        self, hub: str, on_refusal: OnRefusal | None = None, *, ahead: bool = False
    ) -> AsyncIterator[HubSender]:
        """Lend a sender; closes its connections at the end."""
        sender = self._make_sender(hub, on_refusal)
        try:
            if ahead:
                sender.connect()
            yield sender
        finally:
            await sender.close()

    async def properties(self, hub: str) -> HubProperties:
        """Ask the hub itself."""
        async with self.sender(hub) as sender:
            return await sender.properties()

    def _make_sender(self, hub: str, on_refusal: OnRefusal | None) -> HubSender:
        attempts = Attempts(
            place=f"hub {hub} at {self.connection.fully_qualified_namespace}",
            client_id=self.identity.client_id,
            retry=self.retry,
            breaker=self.breaker,
        )
        return HubSender(attempts, lambda: AmqpLink(self.connection, hub, self.identity), on_refusal)
