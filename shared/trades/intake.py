"""What a live slice takes in: events of its venues become knowledge of their markets, and trades to send."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shared import telemetry
from shared.trades.completeness.gaps import Bounds, LiveMarket
from shared.trades.completeness.reports import MOST_EXCERPT, MOST_SAMPLES
from shared.trades.completeness.sequence_tracker import NumberedMarket
from shared.trades.completeness.time_tracker import TimedMarket
from shared.trades.connection.client import Market
from shared.trades.venues.readings import Alive, Anchored, Connected, FeedEvent, Interrupted, Traded, Unreadable
from shared.trades.venues.registry import venue as venue_of
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import Venue

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Inbox:
    """Trades that wait to be sent, and what else the venues did."""

    trades: list[Trade] = field(default_factory=list)
    connections: int = 0
    interruptions: int = 0
    unreadable: int = 0
    samples: list[str] = field(default_factory=list)

    def drain(self) -> list[Trade]:
        """Hand over the waiting trades."""
        drained, self.trades = self.trades, []
        return drained

    def reject(self, excerpt: str, reason: str) -> None:
        """Count a frame that says nothing we know, and keep the first of them."""
        self.unreadable += 1
        if len(self.samples) < MOST_SAMPLES:
            self.samples.append(f"{reason}: {excerpt}"[:MOST_EXCERPT])


class VenueIntake:
    """One venue's part of a slice; `lives` are its markets by symbol."""

    def __init__(self, venue: Venue, source: Market, symbols: Iterable[str], bounds: Bounds, inbox: Inbox) -> None:
        """Begin with nothing known of the symbols."""
        kind = NumberedMarket if venue.contiguous else TimedMarket
        self.venue = venue
        self.source = source
        self.lives: dict[str, LiveMarket] = {symbol: kind(bounds) for symbol in symbols}
        self._inbox = inbox
        self._is_down = False

    @property
    def name(self) -> str:
        """Name the venue."""
        return self.venue.name

    def take(self, event: FeedEvent, now: int) -> None:
        """Take one event in; `now` in microseconds."""
        if isinstance(event, Traded):
            self.take_trades(event.trades)
        elif isinstance(event, Unreadable):
            self._inbox.reject(event.excerpt, event.reason)
        elif isinstance(event, Anchored):
            for live in self._of(event.market):
                live.anchored(event.trade_id, event.timestamp)
        elif isinstance(event, Alive):
            for live in self._of(event.market):
                live.alive(event.last_trade_id, now)
        else:
            self._turn(event, now)

    def take_trades(self, trades: Iterable[Trade]) -> None:
        """Take trades in that came by websocket."""
        lives, keep = self.lives, self._inbox.trades.append
        for trade in trades:
            live = lives.get(trade.symbol)
            if live is None:
                self._inbox.reject(trade.market, "a trade of a market that was not asked for")
            elif live.see(trade.trade_id, trade.timestamp, trade.received_at):
                keep(trade)

    def stop(self, end: int) -> None:
        """Bring the slice's end forward, and give up what waits and lies behind it."""
        for live in self.lives.values():
            live.stop(end)
        waiting = [trade for trade in self._inbox.trades if trade.venue == self.name and trade.timestamp >= end]
        for trade in waiting:
            self.lives[trade.symbol].withdraw(trade.trade_id)
        given_up = {(trade.symbol, trade.trade_id) for trade in waiting}
        self._inbox.trades = [one for one in self._inbox.trades if (one.symbol, one.trade_id) not in given_up]

    def _of(self, market: str | None) -> Iterator[LiveMarket]:
        if market is None:
            yield from self.lives.values()
        elif live := self.lives.get(market.removeprefix(f"{self.name}:")):
            yield live

    def _turn(self, event: Connected | Interrupted, now: int) -> None:
        if isinstance(event, Connected):
            self._inbox.connections += 1
        elif not self._is_down:
            self._inbox.interruptions += 1
            telemetry.warning(logger, "feed.interrupted", venue=self.name, reason=event.reason)
        self._is_down = isinstance(event, Interrupted)
        for live in self.lives.values():
            if isinstance(event, Connected):
                live.connected(now)
            else:
                live.interrupted()


def intakes_of(
    sources: Iterable[str], markets: Mapping[str, Market], bounds: Bounds, inbox: Inbox
) -> list[VenueIntake]:
    """Make one intake a venue for markets named `venue:symbol`."""
    symbols: dict[str, list[str]] = {}
    for source in sources:
        name, _, symbol = source.partition(":")
        symbols.setdefault(name, []).append(symbol)
    return [VenueIntake(venue_of(name), markets[name], each, bounds, inbox) for name, each in symbols.items()]
