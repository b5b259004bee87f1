"""Walks back through a venue's past trades, from one above what is missing until nothing older can matter."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.clients.retrying import Backoff
from shared.domain.failures import FailureKind
from shared.errors import Unavailable
from shared.trades.completeness.gaps import HistoryQuery, SearchOutcome
from shared.trades.connection.client import VenueClient
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest, Venue

MOST_IDLE_PAGES = 100
MOST_PROBES = 40
NEAR = 1_000
HALVE_EACH = 3

BRIEF_SILENCE: Final = timedelta(seconds=10)
"""How long a slice asks for a page that does not come, before it looks at its other gaps."""

_ORDINARY: Final = Backoff(base=0.5)
_THROTTLED: Final = Backoff(base=4.0)
_WHOLE_WAIT: Final = 1.0


@dataclass(slots=True)
class History:
    """The past trades of one venue; a page that does not come is asked for again, and no page before it.

    silence: for how long in a row it may give no page; what a venue asks to wait for is no silence. deadline: by when
    each page must have come, where there is one. silent: why it was given up, empty once it answers.
    """

    venue: Venue
    client: VenueClient
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    deadline: datetime | None = None
    silence: timedelta = BRIEF_SILENCE
    silent: str = ""
    _heard: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Count the silence from now."""
        self._heard = self.clock()

    @property
    def is_over(self) -> bool:
        """Say whether the deadline has come."""
        return self.deadline is not None and self.clock() >= self.deadline

    async def page(self, symbol: str, request: HistoryRequest | None) -> HistoryPage:
        """Get one page, the newest where `request` is None; raises Unavailable, or FeedRefused."""
        failures = 0
        self._heard = self.clock()
        while True:
            try:
                page = await self._asked(symbol, request)
            except Unavailable as error:
                failures += 1
                await self._wait_after(error, failures)
            else:
                self.silent = ""
                return page

    async def _asked(self, symbol: str, request: HistoryRequest | None) -> HistoryPage:
        left = (self.deadline - self.clock()).total_seconds() if self.deadline else None
        try:
            async with asyncio.timeout(left):
                return await self.client.page(symbol, request)
        except TimeoutError as error:
            raise Unavailable(f"{self.venue.name}'s history of {symbol} did not answer before the deadline") from error

    async def _wait_after(self, error: Unavailable, failures: int) -> None:
        """Wait before the next try; raises the error where there is none, and says so where silence is the reason."""
        backoff = _THROTTLED if error.kind is FailureKind.THROTTLED else _ORDINARY
        wait = timedelta(seconds=max(backoff.wait(failures, _WHOLE_WAIT), error.retry_after))
        until = self.clock() + wait
        if error.retry_after:
            self._heard = until
        if self.deadline and until >= self.deadline:
            raise error
        if until - self._heard > self.silence:
            waited = f"{self.silence.total_seconds():g} s"
            self.silent = f"the history of {self.venue.name} did not answer for {waited}: {error}"
            raise Unavailable(self.silent) from error
        await self.sleep(wait.total_seconds())


type TakePage = Callable[[HistoryPage], Awaitable[None]]


async def search(history: History, symbol: str, query: HistoryQuery, take: TakePage) -> SearchOutcome:
    """Hand on every page between where the search begins and its bound, newest page first.

    A search that was left goes on at the page that it lacked. Raises Unavailable where the venue does not answer, or
    its pages lead no further back, and FeedRefused where it has no such market.
    """
    gap = query.gap
    page = await _first_page(history, symbol, query)
    reach, idle = _Reach(), 0
    while True:
        await take(page)
        gap.resume = page.older
        idle = 0 if reach.extend(page) else idle + 1
        if reach.covers(query) or page.older is None:
            gap.resume = None
            return "reached" if reach.covers(query) else "ended"
        if idle > MOST_IDLE_PAGES:
            gap.resume = None
            raise Unavailable(f"{history.venue.name}'s history of {symbol} leads no further back in {idle} pages")
        page = await history.page(symbol, page.older)


async def _first_page(history: History, symbol: str, query: HistoryQuery) -> HistoryPage:
    if query.gap.resume is not None:
        return await history.page(symbol, query.gap.resume)
    request = history.venue.older_than(symbol, *query.above) if query.above else None
    page = await history.page(symbol, request)
    if request is None and history.venue.contiguous and _is_later_than(page, query.until):
        page = await history.page(symbol, await _find(history, symbol, page, query.until))
    return page


@dataclass(slots=True)
class _Reach:
    """The lowest id of any page, and its two earliest times: one alone may be a trade whose time is wrong."""

    trade_id: int = 1 << 62
    earliest: int = 1 << 62
    timestamp: int = 1 << 62

    def extend(self, page: HistoryPage) -> bool:
        """Take a page in; False where it had nothing lower."""
        ids = [trade.trade_id for trade in page.trades]
        ids += [one.trade_id for one in page.rejected if one.trade_id is not None]
        times = sorted([self.earliest, self.timestamp, *(trade.timestamp for trade in page.trades)])
        self.earliest, self.timestamp = times[:2]
        lower = min(ids, default=self.trade_id)
        is_lower, self.trade_id = lower < self.trade_id, min(lower, self.trade_id)
        return is_lower

    def covers(self, query: HistoryQuery) -> bool:
        """Say whether nothing older is wanted."""
        return self.timestamp < query.since or (query.first is not None and self.trade_id <= query.first)


def _newest_time(page: HistoryPage) -> int:
    """Give the newest time that is not alone; -1 of an empty page."""
    times = sorted(trade.timestamp for trade in page.trades)
    return times[-min(len(times), 2)] if times else -1


def _oldest_time(page: HistoryPage) -> int:
    times = sorted(trade.timestamp for trade in page.trades)
    return times[min(len(times), 2) - 1]


def _is_later_than(page: HistoryPage, until: int) -> bool:
    return bool(page.trades) and _oldest_time(page) >= until and page.older is not None


async def _find(history: History, symbol: str, newest: HistoryPage, until: int) -> HistoryRequest:
    """Find the request of a page that ends at or shortly after `until`, without walking all the way from today."""
    high, low = newest.trades[0], None
    density = _ids_per_microsecond(newest)
    request = history.venue.older_than(symbol, high.trade_id, high.timestamp)
    for probe in range(MOST_PROBES):
        guess = _guess(high, low, until, density, halve=probe % HALVE_EACH == HALVE_EACH - 1)
        attempt = history.venue.older_than(symbol, guess, until)
        page = await _first_with_trades(history, symbol, attempt)
        if page.trades and _newest_time(page) >= until:
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
