"""Cosmos DB: writes events into containers as items, and says honestly what became of them and what it cost."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

from shared.clients.attempts import Attempts
from shared.clients.breaker import Breaker
from shared.clients.cosmos.connection import CosmosConnection
from shared.clients.cosmos.items import Items
from shared.clients.cosmos.link import ContainerLink
from shared.clients.cosmos.sender import CosmosSender
from shared.clients.destination import ChargedSender, OnRefusal
from shared.clients.identity.credentials import Identity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts

__all__ = ["THROTTLED", "AzureCosmos", "Cosmos", "CosmosConnection", "Items"]

THROTTLED: Final = Backoff(0.05, 1.0)
"""The waits after a 429, which names milliseconds itself: only so much more that not all come back at once."""


class Cosmos(Protocol):
    """The containers of one database."""

    def sender(
        self, container: str, items: Items, on_refusal: OnRefusal | None = None
    ) -> AbstractAsyncContextManager[ChargedSender]:
        """Connect to a container for as long as the context lasts; for one event loop.

        on_refusal: told of each record that is refused, as an event of its own.
        """


@dataclass(frozen=True, slots=True)
class AzureCosmos:
    """Containers of an account. Holds nothing that is bound to a loop: each sender makes and closes its connections."""

    connection: CosmosConnection
    identity: Identity
    retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(Timeouts(throttled=THROTTLED)))
    breaker: Breaker = field(default_factory=Breaker)

    @contextlib.asynccontextmanager
    async def sender(
        self, container: str, items: Items, on_refusal: OnRefusal | None = None
    ) -> AsyncIterator[CosmosSender]:
        """Lend a sender; closes its connections at the end."""
        connection = self.connection
        host = urlsplit(connection.endpoint).hostname
        attempts = Attempts(
            place=f"container {connection.database}/{container} at {host}",
            client_id="the account's key" if connection.key else self.identity.client_id,
            retry=self.retry,
            breaker=self.breaker,
            service="cosmos",
        )
        sender = CosmosSender(attempts, lambda: self._link(container), items, on_refusal, connection.side_by_side)
        try:
            yield sender
        finally:
            await sender.close()

    def _link(self, container: str) -> ContainerLink:
        from shared.clients.cosmos.gateway import GatewayLink  # noqa: PLC0415 - 0.6 s of a cold start

        return GatewayLink(self.connection, container, self.identity)
