"""One venue as the app sees it: trades as they happen, over connections that heal, and pages of its past."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from shared.errors import Unavailable, Unreachable
from shared.trades.connection.connection import Listener, Subscription
from shared.trades.connection.session import Jitter, Session, wait_before_retry
from shared.trades.connection.transport import WebTransport
from shared.trades.venues.registry import Endpoints
from shared.trades.venues.venue import HistoryPage, HistoryRequest, Venue

_TRIES = 4


class VenueClient(Protocol):
    """One venue."""

    async def follow(self, symbols: Sequence[str], listener: Listener) -> None:
        """Tell the listener what happens in these markets until cancelled, which closes all connections.

        Nothing more is read while the listener is full. A trade may come twice, since connections overlap when one
        takes over from another; drop repeated ids. After Interrupted, trades may have been missed. Raises FeedRefused
        with the venue's own message, and Unavailable where no retry can cure it.
        """

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Give one page of a market's past; no request asks for the newest. Raises Unavailable or FeedRefused."""


class WebVenueClient:
    """A venue over its websocket and its REST interface.

    ca_bundle: the PEM file of trusted authorities, None for the system's. clock: microseconds since the Unix epoch.
    jitter: draws from `[0, 1)`. connection_limit: overrides how long the venue keeps a connection.
    """

    def __init__(
        self,
        venue: Venue,
        endpoints: Endpoints,
        *,
        ca_bundle: Path | None,
        clock: Callable[[], int],
        jitter: Jitter,
        connection_limit: timedelta | None = None,
    ) -> None:
        """Remember all that; nothing is opened and nothing is bound to an event loop."""
        self._venue = venue
        self._endpoints = endpoints
        self._ca_bundle = ca_bundle
        self._clock = clock
        self._jitter = jitter
        self._limit = connection_limit or venue.connection_limit

    async def follow(self, symbols: Sequence[str], listener: Listener) -> None:
        """Follow the symbols, as `VenueClient.follow` says."""
        url = self._endpoints.websocket_url
        subscription = Subscription(self._venue, url, tuple(symbols), self._limit, self._clock)
        async with WebTransport(self._ca_bundle) as transport:
            await Session(subscription, transport, listener, self._jitter).run()

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Fetch a page; tries four times in all where the venue is busy or can't be reached."""
        wanted = request or self._venue.newest(symbol)
        body = await self._fetch(wanted)
        try:
            return await asyncio.to_thread(self._venue.read_history, wanted, body, symbol, self._clock())
        except ValueError as error:
            raise Unavailable(f"{self._endpoints.rest_url}{wanted.path} gave {error}") from error

    async def _fetch(self, wanted: HistoryRequest) -> bytes:
        failures = 0
        async with WebTransport(self._ca_bundle) as transport:
            while True:
                try:
                    return await transport.get(self._endpoints.rest_url + wanted.path, wanted.query)
                except Unreachable as error:
                    failures += 1
                    if failures == _TRIES:
                        raise
                    await asyncio.sleep(wait_before_retry(failures, self._jitter(), error.retry_after))
