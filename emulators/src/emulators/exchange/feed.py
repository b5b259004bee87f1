"""What one venue publishes and when: the markets of its symbols, with the faults that hold."""

import heapq
from collections.abc import Mapping, Sequence

from emulators.exchange.faults import Faults, Publication
from emulators.exchange.history import History, Tape
from emulators.exchange.instruments import instruments_of
from emulators.exchange.market import Trade
from emulators.exchange.venue import Venue

LATENCY = 5_000


class Feed:
    """The trades of one venue, shared by all its connections and its REST pages. Moments are true ones.

    A symbol is published from when it is first asked for: each of its trades once, in time order.
    """

    def __init__(self, venue: Venue, tapes: Mapping[str, Tape], faults: Faults) -> None:
        """Publish `tapes` by symbol."""
        self.venue = venue
        self._faults = faults
        self._shift = 0
        self._late: list[tuple[int, int, Trade]] = []
        self._published: dict[str, int] = {}
        self._histories = {symbol: History(tape) for symbol, tape in tapes.items()}

    def replace(self, tapes: Mapping[str, Tape], now: int) -> None:
        """Begin anew with other tapes of the same symbols; those that were awake stay so."""
        awake = list(self._published)
        self._histories = {symbol: History(tape) for symbol, tape in tapes.items()}
        self._published.clear()
        self._late.clear()
        self.shift_clock(0, self._shift)
        for symbol in awake:
            self.wake(symbol, now)

    @property
    def symbols(self) -> Sequence[str]:
        """List what is traded."""
        return tuple(self._histories)

    @property
    def pairs(self) -> Mapping[str, tuple[str, str]]:
        """Give base and quote of each symbol: as its instrument has them, or as a recorded one is written."""
        known = {one.symbol: (one.base, one.quote) for one in instruments_of(self.venue.name)}
        return {symbol: known.get(symbol) or _parts(symbol) for symbol in self.symbols}

    def history(self, symbol: str, now: int) -> History | None:
        """Give everything that happened to a symbol until `now`; None where it is not traded."""
        history = self._histories.get(symbol)
        if history is not None:
            history.settle(now)
        return history

    def published(self, symbol: str, count: int, now: int) -> list[Trade]:
        """Give the last `count` published trades, oldest first; where there is none, the anchor if any."""
        if (history := self._wake(symbol, now)) is None:
            return []
        position = self._published[symbol]
        trades = history.between_positions(max(0, position - count), position)
        return trades or ([history.anchor] if history.anchor else [])

    def due(self, now: int) -> list[Trade]:
        """Give the trades to be sent now: in time order those that no fault holds, then late ones whose time came."""
        fresh = [trade for symbol in self._published for trade in self._fresh(symbol, now)]
        sent = [
            self._histories[trade.symbol].displayed(trade)
            for trade in sorted(fresh, key=lambda trade: trade.time)
            if self._may_go(trade, now)
        ]
        return sent + self._released(now)

    def clock(self, now: int) -> int:
        """Read the venue's own clock."""
        return now + self._shift

    def shift_clock(self, now: int, shift: int) -> None:
        """Put the venue's clock off by `shift` microseconds from now on."""
        self._shift = shift
        for history in self._histories.values():
            history.shift_clock(now, shift)

    def wake(self, symbol: str | None, now: int) -> None:
        """Publish a symbol from now on, or all where none is named; nothing happens where it is not traded."""
        for name in self.symbols if symbol is None else (symbol,):
            self._wake(name, now)

    def _wake(self, symbol: str, now: int) -> History | None:
        history = self.history(symbol, now)
        if history is not None and symbol not in self._published:
            self._published[symbol] = history.position(now - LATENCY)
        return history

    def _fresh(self, symbol: str, now: int) -> list[Trade]:
        history = self._histories[symbol]
        history.settle(now)
        start, stop = self._published[symbol], history.position(now - LATENCY)
        self._published[symbol] = max(start, stop)
        return history.between_positions(start, stop)

    def _may_go(self, trade: Trade, now: int) -> bool:
        publication, delay = self._faults.publication(self.venue.name, trade.symbol)
        if publication is Publication.LATE:
            heapq.heappush(self._late, (now + delay, trade.trade_id, trade))
        if publication is Publication.LOST:
            self._histories[trade.symbol].lose(trade.trade_id)
        if publication is Publication.ZERO:
            self._histories[trade.symbol].empty(trade.trade_id)
        return publication in {Publication.SENT, Publication.ZERO}

    def _released(self, now: int) -> list[Trade]:
        released = []
        while self._late and self._late[0][0] <= now:
            released.append(heapq.heappop(self._late)[2])
        return released


def _parts(symbol: str) -> tuple[str, str]:
    base, _, quote = symbol.partition("-")
    return base, quote
