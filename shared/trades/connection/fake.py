"""Venues and connections that do what a test tells them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.trades.connection.connection import Listener
from shared.trades.connection.transport import Answer, OnFrame, OnSignOfLife, Socket
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.readings import FeedEvent, Traded
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest, Symbols, Venue


class FakeVenueClient:
    """A venue that does what its test asks for.

    script: what `follow` tells, in order, in each call; at an Event it waits until that is set, an exception is
    raised, and after the end it is silent, as a venue is. history: all past trades, in any order; `page` cuts them
    as long as `page_size`, and knows the requests that `venue` makes; an exception in their place is raised. listed:
    its list of markets, or the exception that asking for it raises. `followed`, `asked` and `closed` keep what was
    asked for.
    """

    def __init__(
        self,
        script: Sequence[FeedEvent | asyncio.Event | Exception] = (),
        history: Sequence[Trade] | Exception = (),
        *,
        venue: Venue | None = None,
        page_size: int = 1000,
        listed: Symbols | Exception | None = None,
    ) -> None:
        self._script = tuple(script)
        self._unanswered = history if isinstance(history, Exception) else None
        self._history = [] if isinstance(history, Exception) else sorted(history, key=lambda trade: trade.trade_id)
        self._venue = venue or Coinbase()
        self._page_size = page_size
        self._listed = listed or {}
        self.closed = 0
        self.followed: list[tuple[str, ...]] = []
        self.asked: list[tuple[str, HistoryRequest | None]] = []

    async def follow(self, symbols: Sequence[str], listener: Listener) -> None:
        """Play the script."""
        self.followed.append(tuple(symbols))
        for step in (*self._script, asyncio.Event()):
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, Exception):
                raise step
            else:
                listener.take(step)
                await listener.room()

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Cut a page from the history; raises LookupError for a request that the venue would not have made."""
        self.asked.append((symbol, request))
        if self._unanswered:
            raise self._unanswered
        market = [trade for trade in self._history if trade.symbol == symbol]
        end = len(market) if request in (None, self._venue.newest(symbol)) else self._end(market, symbol, request)
        page = tuple(market[max(end - self._page_size, 0) : end])
        older = self._venue.older_than(symbol, page[0].trade_id, page[0].timestamp) if end > self._page_size else None
        return HistoryPage(page, older)

    async def symbols(self) -> Symbols:
        """Give the list."""
        if isinstance(self._listed, Exception):
            raise self._listed
        return self._listed

    async def aclose(self) -> None:
        """Remember it."""
        self.closed += 1

    def _end(self, market: list[Trade], symbol: str, request: HistoryRequest | None) -> int:
        live = (trade for step in self._script if isinstance(step, Traded) for trade in step.trades)
        known = (*market, *(trade for trade in live if trade.symbol == symbol))
        for trade in reversed(known):
            if self._venue.older_than(symbol, trade.trade_id, trade.timestamp) == request:
                return sum(other.trade_id < trade.trade_id for other in market)
        raise LookupError(f"no trade of {symbol} is known that {request} could be older than")


@dataclass(slots=True)
class FakeSocket:
    """A websocket whose frames and end a test decides; `sent` are the frames of the client."""

    frames: asyncio.Queue[bytes | Exception | None] = field(default_factory=asyncio.Queue)
    sent: list[str] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, *frames: str) -> None:
        """Let the venue send frames."""
        for frame in frames:
            self.frames.put_nowait(frame.encode())

    def end(self, error: Exception | None = None) -> None:
        """Let the venue end the connection, or let reading it raise."""
        self.frames.put_nowait(error)

    async def send(self, text: str) -> None:
        """Keep the frame."""
        self.sent.append(text)

    async def read(self, on_frame: OnFrame, on_sign_of_life: OnSignOfLife) -> str:  # noqa: ARG002 - it sends no pings
        """Hand on what the test tells."""
        while (frame := await self.frames.get()) is not None:
            if isinstance(frame, Exception):
                raise frame
            if wait := on_frame(frame):
                await wait
        return "the fake ended the connection"

    async def close(self) -> None:
        """Remember it."""
        self.closed.set()


class FakeTransport:
    """Gives the sockets that it holds, in their order, and then none; an exception in place of one is raised.

    opened: the instants of the event loop's clock at which one was asked for.
    """

    def __init__(self, *sockets: Socket | Exception) -> None:
        self._sockets = list(sockets)
        self.opened: list[float] = []

    async def socket(self, url: str) -> Socket:  # noqa: ARG002 - there is one venue
        """Give the next socket; one that is not there is never answered for."""
        self.opened.append(asyncio.get_running_loop().time())
        if not self._sockets:
            await asyncio.Event().wait()
        socket = self._sockets.pop(0)
        if isinstance(socket, Exception):
            raise socket
        return socket

    async def get(self, url: str, query: Mapping[str, str]) -> Answer:
        """Have no page."""
        raise LookupError(f"there is no {url} with {query}")
