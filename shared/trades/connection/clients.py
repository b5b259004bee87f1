"""Makes the clients of all venues: each slice and closing has its own, and what a venue allows is common to all."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from shared.trades.connection.client import VenueClient, WebVenueClient
from shared.trades.connection.limiter import RequestLimiter
from shared.trades.venues.registry import Endpoints, venue


class VenueClients:
    """Call it for clients by the venue's name. `clock`: microseconds since the Unix epoch."""

    def __init__(self, endpoints: Mapping[str, Endpoints], *, ca_bundle: str | None, clock: Callable[[], int]) -> None:
        """Make one limiter a venue, and nothing else yet."""
        self._endpoints = endpoints
        self._ca_bundle = Path(ca_bundle) if ca_bundle else None
        self._clock = clock
        self._jitter = secrets.SystemRandom().random
        self._limiters = {name: RequestLimiter(venue(name).request_limit) for name in endpoints}

    def __call__(self) -> Mapping[str, VenueClient]:
        """Make clients, which open nothing before they are asked."""
        return {name: self._client(name, endpoints) for name, endpoints in self._endpoints.items()}

    def _client(self, name: str, endpoints: Endpoints) -> WebVenueClient:
        return WebVenueClient(
            venue(name),
            endpoints,
            ca_bundle=self._ca_bundle,
            clock=self._clock,
            jitter=self._jitter,
            limiter=self._limiters[name],
        )
