"""One venue as the app sees it: trades as they happen, over connections that heal, and pages of its past."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from shared.errors import Unavailable, Unreachable
from shared.trades.connection.connection import Clock, Plan
from shared.trades.connection.session import Backoff, Following, Jitter
from shared.trades.connection.transport import Transport
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.readings import FeedEvent, Traded
from shared.trades.venues.registry import Endpoints
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest, Venue

_TRIES = 4


class Market(Protocol):
    """One venue."""

    def follow(self, symbols: Sequence[str], until: asyncio.Event | None = None) -> AsyncGenerator[FeedEvent]:
        """Give what happens in these markets, until `until` is set or the generator is closed.

        Close it (`contextlib.aclosing`): its connections close with it. A trade may come twice, since connections
        overlap when one takes over from another; drop repeated ids. After Interrupted, trades may have been missed.
        Raises FeedRefused with the venue's words, and Unavailable where no retry can cure it.
        """

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Give one page of a market's past; no request asks for the newest. Raises Unavailable or FeedRefused."""


class VenueMarket:
    """A venue over its websocket and its REST interface.

    ca_bundle: the PEM file of trusted authorities, None for the system's. clock: microseconds since the Unix epoch.
    jitter: draws a wait in seconds from `[0, ceiling]`. connection_limit: overrides how long the venue keeps one.
    """

    def __init__(
        self,
        venue: Venue,
        endpoints: Endpoints,
        *,
        ca_bundle: Path | None,
        clock: Clock,
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

    async def follow(self, symbols: Sequence[str], until: asyncio.Event | None = None) -> AsyncGenerator[FeedEvent]:
        """Follow the symbols, as `Market.follow` says."""
        plan = Plan(self._venue, self._endpoints.websocket_url, tuple(symbols), self._limit, self._clock)
        async with (
            Transport(self._ca_bundle) as transport,
            aclosing(Following(plan, transport, self._jitter).events(until)) as events,
        ):
            async for event in events:
                yield event

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Fetch a page; tries four times in all where the venue is busy or can't be reached."""
        wanted = request or self._venue.newest(symbol)
        body = await self._fetch(wanted)
        try:
            return await asyncio.to_thread(self._venue.read_history, wanted, body, symbol, self._clock())
        except ValueError as error:
            raise Unavailable(f"{self._endpoints.rest_url}{wanted.path} gave {error}") from error

    async def _fetch(self, wanted: HistoryRequest) -> bytes:
        backoff = Backoff(self._jitter)
        async with Transport(self._ca_bundle) as transport:
            while True:
                try:
                    return await transport.get(self._endpoints.rest_url + wanted.path, wanted.query)
                except Unreachable as error:
                    if backoff.failures == _TRIES - 1:
                        raise
                    await asyncio.sleep(backoff.next(error.retry_after))


class FakeMarket:
    """A venue that does what it is told, for tests.

    script: what `follow` gives, in order, in each call; at an Event it waits until that is set, an exception is
    raised, and after the end it is silent, as a venue is. history: all past trades, in any order; `page` cuts them
    as long as `page_size`, and knows the requests that `venue` makes. `followed` and `asked` keep what was asked for.
    """

    def __init__(
        self,
        script: Sequence[FeedEvent | asyncio.Event | Exception] = (),
        history: Sequence[Trade] = (),
        *,
        venue: Venue | None = None,
        page_size: int = 1000,
    ) -> None:
        """Learn the part."""
        self._script = tuple(script)
        self._history = sorted(history, key=lambda trade: trade.trade_id)
        self._venue = venue or Coinbase()
        self._page_size = page_size
        self.followed: list[tuple[str, ...]] = []
        self.asked: list[tuple[str, HistoryRequest | None]] = []

    async def follow(self, symbols: Sequence[str], until: asyncio.Event | None = None) -> AsyncGenerator[FeedEvent]:
        """Play the script, until `until` is set."""
        over = until or asyncio.Event()
        self.followed.append(tuple(symbols))
        for step in (*self._script, asyncio.Event()):
            if isinstance(step, asyncio.Event):
                await _first_of(step, over)
            if over.is_set():
                return
            if isinstance(step, Exception):
                raise step
            if not isinstance(step, asyncio.Event):
                yield step

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Cut a page from the history; raises LookupError for a request that the venue would not have made."""
        self.asked.append((symbol, request))
        market = [trade for trade in self._history if trade.symbol == symbol]
        end = len(market) if request in (None, self._venue.newest(symbol)) else self._end(market, symbol, request)
        page = tuple(market[max(end - self._page_size, 0) : end])
        older = self._venue.older_than(symbol, page[0].trade_id, page[0].timestamp) if end > self._page_size else None
        return HistoryPage(page, older)

    def _end(self, market: list[Trade], symbol: str, request: HistoryRequest | None) -> int:
        live = (trade for step in self._script if isinstance(step, Traded) for trade in step.trades)
        known = (*market, *(trade for trade in live if trade.symbol == symbol))
        for trade in reversed(known):
            if self._venue.older_than(symbol, trade.trade_id, trade.timestamp) == request:
                return sum(other.trade_id < trade.trade_id for other in market)
        raise LookupError(f"no trade of {symbol} is known that {request} could be older than")


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
