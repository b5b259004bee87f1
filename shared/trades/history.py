"""Walks back through a venue's past trades, from one above what is missing until nothing older can matter."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.errors import Unavailable
from shared.trades.completeness.gaps import HistoryQuery, SearchOutcome
from shared.trades.connection.client import VenueClient
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest, Venue

MOST_IDLE_PAGES = 100
MOST_PROBES = 40
NEAR = 1_000
HALVE_EACH = 3


@dataclass(frozen=True, slots=True)
class History:
    """The past trades of one venue; each page must come before `deadline`, where there is one."""

    venue: Venue
    client: VenueClient
    clock: Callable[[], datetime]
    deadline: datetime | None = None

    async def page(self, symbol: str, request: HistoryRequest | None) -> HistoryPage:
        """Get one page, the newest where `request` is None; raises Unavailable, or FeedRefused."""
        left = (self.deadline - self.clock()).total_seconds() if self.deadline else None
        try:
            async with asyncio.timeout(left):
                return await self.client.page(symbol, request)
        except TimeoutError as error:
            raise Unavailable(f"{self.venue.name}'s history of {symbol} did not answer before the deadline") from error


type TakeTrades = Callable[[Sequence[Trade]], Awaitable[None]]


async def search(history: History, symbol: str, query: HistoryQuery, take: TakeTrades) -> SearchOutcome:
    """Hand on every trade between where the search begins and its bound, page by page, newest page first.

    Raises Unavailable where the venue does not answer, or its pages lead no further back.
    """
    request = history.venue.older_than(symbol, *query.above) if query.above else None
    page = await history.page(symbol, request)
    if request is None and history.venue.contiguous and _is_later_than(page, query.until):
        page = await history.page(symbol, await _find(history, symbol, page, query.until))
    reach, idle = _Reach(), 0
    while True:
        await take(page.trades)
        idle = 0 if reach.extend(page) else idle + 1
        if reach.covers(query):
            return "reached"
        if page.older is None:
            return "ended"
        if idle > MOST_IDLE_PAGES:
            raise Unavailable(f"{history.venue.name}'s history of {symbol} leads no further back in {idle} pages")
        page = await history.page(symbol, page.older)


@dataclass(slots=True)
class _Reach:
    """The lowest id and the earliest time that any page had."""

    trade_id: int = 1 << 62
    timestamp: int = 1 << 62

    def extend(self, page: HistoryPage) -> bool:
        """Take a page in; False where it had nothing lower."""
        lower = min((trade.trade_id for trade in page.trades), default=self.trade_id)
        self.timestamp = min([self.timestamp, *(trade.timestamp for trade in page.trades)])
        is_lower, self.trade_id = lower < self.trade_id, min(lower, self.trade_id)
        return is_lower

    def covers(self, query: HistoryQuery) -> bool:
        """Say whether nothing older is wanted."""
        return self.timestamp < query.since or (query.first is not None and self.trade_id <= query.first)


def _is_later_than(page: HistoryPage, until: int) -> bool:
    return bool(page.trades) and min(trade.timestamp for trade in page.trades) >= until and page.older is not None


async def _find(history: History, symbol: str, newest: HistoryPage, until: int) -> HistoryRequest:
    """Find the request of a page that ends at or shortly after `until`, without walking all the way from today."""
    high, low = newest.trades[0], None
    density = _ids_per_microsecond(newest)
    request = history.venue.older_than(symbol, high.trade_id, high.timestamp)
    for probe in range(MOST_PROBES):
        guess = _guess(high, low, until, density, halve=probe % HALVE_EACH == HALVE_EACH - 1)
        attempt = history.venue.older_than(symbol, guess, until)
        page = await _first_with_trades(history, symbol, attempt)
        if page.trades and page.trades[-1].timestamp >= until:
            request, high = attempt, page.trades[0]
            if high.timestamp < until:
                break
        else:
            low = _Point(page.trades[-1].trade_id, page.trades[-1].timestamp) if page.trades else _Point(guess, 0)
        if high.trade_id - (low.trade_id if low else 0) <= NEAR:
            break
    return request


@dataclass(frozen=True, slots=True)
class _Point:
    trade_id: int
    timestamp: int


def _guess(high: Trade, low: _Point | None, until: int, density: float, *, halve: bool) -> int:
    """Guess an id traded shortly after `until`: by ids per microsecond, then between what is too late and too early."""
    if low is None:
        return max(high.trade_id - max(int((high.timestamp - until) * density), 1) + NEAR // 2, 1)
    span = high.trade_id - low.trade_id
    share = 0.5 if halve else (high.timestamp - until) / max(high.timestamp - low.timestamp, 1)
    return min(max(high.trade_id - int(span * share) + NEAR // 2, low.trade_id + 1), high.trade_id)


def _ids_per_microsecond(page: HistoryPage) -> float:
    first, last = page.trades[0], page.trades[-1]
    return (last.trade_id - first.trade_id + 1) / max(last.timestamp - first.timestamp, 1)


async def _first_with_trades(history: History, symbol: str, request: HistoryRequest) -> HistoryPage:
    page = await history.page(symbol, request)
    for _ in range(MOST_PROBES):
        if page.trades or page.older is None:
            break
        page = await history.page(symbol, page.older)
    return page
