"""One venue as the app sees it: trades as they happen, over connections that heal, and pages of its past."""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Final, Protocol

from shared.domain.failures import FailureKind
from shared.errors import FeedRefused, IngestionError, Unavailable, Unreachable
from shared.trades.connection.connection import Listener, Subscription
from shared.trades.connection.limiter import RequestLimiter
from shared.trades.connection.session import Jitter, Session
from shared.trades.connection.transport import Answer, WebTransport
from shared.trades.venues.registry import Endpoints
from shared.trades.venues.venue import HistoryPage, HistoryRequest, Symbols, Venue
from shared.trades.venues.words import meaning

BANNED: Final = 418
_SHORTEST_BAN: Final = 120.0
"""Seconds of Binance's shortest ban (rest-api.md), for a 418 that does not say how long."""


class VenueClient(Protocol):
    """One venue, for one slice or closing: whoever has it closes it, in the event loop in which it was used."""

    async def follow(self, symbols: Sequence[str], listener: Listener) -> None:
        """Tell the listener what happens in these markets until cancelled, which closes all connections.

        Nothing more is read while the listener is full. A trade may come twice, since connections overlap when one
        takes over from another; drop repeated ids. After Interrupted, trades may have been missed. A market that the
        venue refuses is told as MarketRefused and costs no other; the venue's failures are told as Interrupted.
        """

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Give one page of a market's past; no request asks for the newest. It is asked once.

        Raises FeedRefused where the venue has no such market, and Unavailable with the wait that it asked for.
        """

    async def symbols(self) -> Symbols:
        """Give the venue's own list of its markets; raises Unavailable."""

    async def aclose(self) -> None:
        """Close the connections that are kept for the pages."""


class WebVenueClient:
    """A venue over its websocket and its REST interface, over one HTTP session.

    ca_bundle: the PEM file of trusted authorities, None for the system's. clock: microseconds since the Unix epoch.
    jitter: draws from `[0, 1)`. limiter: the venue's, shared with its other clients.
    """

    def __init__(
        self,
        venue: Venue,
        endpoints: Endpoints,
        *,
        ca_bundle: Path | None,
        clock: Callable[[], int],
        jitter: Jitter,
        limiter: RequestLimiter,
    ) -> None:
        """Remember all that; nothing is opened and nothing is bound to an event loop."""
        self._venue = venue
        self._endpoints = endpoints
        self._ca_bundle = ca_bundle
        self._clock = clock
        self._jitter = jitter
        self._limiter = limiter
        self._opening = asyncio.Lock()
        self._transport: WebTransport | None = None

    async def follow(self, symbols: Sequence[str], listener: Listener) -> None:
        """Follow the symbols, as `VenueClient.follow` says."""
        url = self._endpoints.websocket_url
        life = self._venue.connection_limit
        subscription = Subscription(self._venue, url, tuple(symbols), life, self._clock, self._limiter)
        await Session(subscription, await self._opened(), listener, self._jitter).run()

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Fetch a page, as `VenueClient.page` says, once the venue's limit allows it."""
        wanted = request or self._venue.newest(symbol)
        body = await self._fetch(wanted)
        try:
            return await asyncio.to_thread(self._venue.read_history, wanted, body, symbol, self._clock())
        except ValueError as error:
            raise self._unreadable(wanted, error) from error

    async def symbols(self) -> Symbols:
        """Fetch the list."""
        wanted = self._venue.symbols_request()
        body = await self._fetch(wanted)
        try:
            return await asyncio.to_thread(self._venue.read_symbols, body)
        except ValueError as error:
            raise self._unreadable(wanted, error) from error

    async def aclose(self) -> None:
        """Close the session."""
        if self._transport is not None:
            await self._transport.__aexit__(None, None, None)
            self._transport = None

    async def _opened(self) -> WebTransport:
        async with self._opening:
            if self._transport is None:
                self._transport = await WebTransport(self._ca_bundle).__aenter__()
            return self._transport

    async def _fetch(self, wanted: HistoryRequest) -> bytes:
        transport = await self._opened()
        self._check_open()
        await asyncio.sleep(self._limiter.wait())
        self._check_open()
        answer = await transport.get(self._endpoints.rest_url + wanted.path, wanted.query)
        complaint = self._venue.complaint(answer.body) if answer.status == HTTPStatus.OK else answer.excerpt
        if complaint or answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._failure(answer, complaint)
        return answer.body

    def _check_open(self) -> None:
        """Never ask into a ban: it would grow longer."""
        if left := self._limiter.closed_for():
            text = f"{self._venue.name} asked to be left alone for another {left:.0f} s"
            raise Unreachable(text, throttled=True, retry_after=left)

    def _failure(self, answer: Answer, message: str) -> IngestionError:
        kind = meaning(self._venue.words, message, answer.status)
        text = f"{answer.host} answered {answer.status}: {message}"
        if kind is FailureKind.PERMANENT:
            return FeedRefused(text)
        wait = answer.retry_after or (_SHORTEST_BAN if answer.status == BANNED else 0.0)
        if wait:
            self._limiter.close_for(wait)
        return Unreachable(text, throttled=kind is FailureKind.THROTTLED, retry_after=wait)

    def _unreadable(self, wanted: HistoryRequest, error: ValueError) -> Unavailable:
        return Unavailable(f"{self._endpoints.rest_url}{wanted.path} gave {error}")
