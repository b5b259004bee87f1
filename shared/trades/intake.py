"""What a slice takes in of one venue: events become knowledge of its markets, and trades to hand over."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from shared import telemetry
from shared.domain.windows.window import microseconds
from shared.trades.completeness.gaps import Bounds, Gap
from shared.trades.completeness.reports import MOST_EXCERPT, MOST_SAMPLES, MarketReport
from shared.trades.completeness.restarting_tracker import RestartingTracker
from shared.trades.completeness.time_tracker import TimeTracker
from shared.trades.completeness.tracker import Tracker
from shared.trades.connection.client import VenueClient
from shared.trades.inbox import Inbox
from shared.trades.venues.readings import (
    Connected,
    FeedEvent,
    Heartbeat,
    Interrupted,
    Listening,
    MarketRefused,
    Rejected,
    Snapshot,
    Traded,
    Unreadable,
)
from shared.trades.venues.registry import Market
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import Venue

logger = logging.getLogger(__name__)


class VenueIntake:
    """One venue's part of a slice, and the listener of its client.

    trackers: its markets by symbol. connections, interruptions, unreadable: how often; samples: the first frames and
    trades that could not be read, cut. refused: the symbols that the venue will not serve, with its words.
    connected_at: when it was connected first.
    """

    def __init__(
        self,
        venue: Venue,
        client: VenueClient,
        trackers: Mapping[str, Tracker],
        inbox: Inbox,
        clock: Callable[[], datetime],
    ) -> None:
        self.venue = venue
        self.client = client
        self.trackers = trackers
        self.connections = self.interruptions = self.unreadable = 0
        self.samples: list[str] = []
        self.refused: dict[str, str] = {}
        self._unacknowledged = set(trackers)
        self._inbox = inbox
        self._clock = clock
        self._is_down = False
        self._held_up_until = 0
        self.connected_at: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Whether no more is to be read from the venue for now."""
        return self._inbox.is_full

    async def room(self) -> None:
        """Wait until more may be read."""
        if self.is_full:
            try:
                await self._inbox.room()
            finally:
                self._held_up_until = self._now()

    async def follow(self) -> None:
        """Take in what happens in the markets, until cancelled."""
        await self.client.follow(tuple(self.trackers), self)

    def take(self, event: FeedEvent) -> None:
        """Take one event in."""
        if type(event) is Traded:
            self._take_trades(event.trades)
            for one in event.rejected:
                self._take_rejected(one)
        else:
            self._note(event)

    def served(self) -> list[tuple[str, Tracker]]:
        """Give the markets that the venue has not refused."""
        return [(symbol, tracker) for symbol, tracker in self.trackers.items() if symbol not in self.refused]

    def refuse(self, symbol: str, message: str) -> None:
        """Note that the venue will not serve a market, in its own words."""
        if symbol not in self.refused:
            market = f"{self.venue.name}:{symbol}"
            telemetry.warning(logger, "feed.market_refused", market=market, reason=message)
            self.refused[symbol] = message

    def reject_rows(self, tracker: Tracker, rows: Iterable[Rejected], gap: Gap) -> None:
        """Count the rows of a page that can't be taken; each is met, and costs none of its neighbours."""
        for row in rows:
            is_known = row.trade_id is not None and row.timestamp is not None
            if not is_known or tracker.reject(row.trade_id or 0, row.timestamp or 0, gap):
                self._reject(row.excerpt, row.reason)

    def warnings(self) -> list[str]:
        """Name the markets whose subscription the venue never acknowledged: they were not listened to."""
        unheard = [symbol for symbol, _ in self.served() if symbol in self._unacknowledged] if self.connections else []
        ending = "the venue never acknowledged its subscription; its trades are the history's"
        return [f"{self.venue.name}:{symbol}: {ending}" for symbol in unheard]

    def stop(self, end: int) -> None:
        """Bring the slice's end forward, and take back what waits and lies behind it."""
        for tracker in self.trackers.values():
            tracker.stop(end)
        for trade in self._inbox.take_back(lambda trade: trade.venue == self.venue.name and trade.timestamp >= end):
            self.trackers[trade.symbol].withdraw(trade.trade_id)

    def listened_until(self, end: int) -> None:
        """Note that nothing more is read, though the slice's `end` may not have been reached.

        Where reading was held up at or after the end, frames may be left unread: the history must say what was in
        them, as after an interruption.
        """
        if self._held_up_until >= end:
            for tracker in self.trackers.values():
                tracker.interrupted()

    def reports(self) -> Iterator[MarketReport]:
        """Say what was seen of each market, without the counts of what was handed over."""
        for symbol, tracker in self.trackers.items():
            yield tracker.report(f"{self.venue.name}:{symbol}")

    def _take_trades(self, trades: Iterable[Trade]) -> None:
        own = []
        for trade in trades:
            tracker = self.trackers.get(trade.symbol)
            if tracker is None:
                self._reject(trade.market, "a trade of a market that was not asked for")
            elif tracker.see(trade.trade_id, trade.timestamp, trade.received_at):
                own.append(trade)
        self._inbox.add(own)

    def _note(self, event: FeedEvent) -> None:
        match event:
            case Unreadable(excerpt, reason):
                self._reject(excerpt, reason)
                self._doubt(self.trackers.values())
            case Snapshot(market, trade_id, timestamp):
                for tracker in self._of(market):
                    tracker.snapshot(trade_id, timestamp)
            case Heartbeat(market, last_trade_id):
                for tracker in self._of(market):
                    tracker.heartbeat(last_trade_id, self._now())
            case MarketRefused(symbol, message):
                self.refuse(symbol, message)
            case Connected() | Listening() | Interrupted():
                self._note_connection(event)

    def _note_connection(self, event: Connected | Listening | Interrupted) -> None:
        match event:
            case Connected(_, symbols):
                self._connected(self.trackers if symbols is None else symbols)
            case Listening(symbol):
                self._listening(symbol)
            case Interrupted(reason):
                self._interrupted(reason)

    def _of(self, market: str | None) -> Iterator[Tracker]:
        if market is None:
            yield from self.trackers.values()
        elif tracker := self.trackers.get(market.removeprefix(f"{self.venue.name}:")):
            yield tracker

    def _connected(self, symbols: Iterable[str]) -> None:
        """Begin to listen to these symbols, and to no other one until its own subscription stands."""
        self.connections += 1
        self.connected_at = self.connected_at or self._clock()
        self._is_down = False
        for symbol in self.trackers.keys() - set(symbols):
            self.trackers[symbol].interrupted()
        for symbol in symbols:
            self._listening(symbol)

    def _listening(self, symbol: str) -> None:
        self._unacknowledged.discard(symbol)
        if tracker := self.trackers.get(symbol):
            tracker.connected(self._now())

    def _doubt(self, trackers: Iterable[Tracker]) -> None:
        """Take a frame that can't be read for a trade that may have been missed."""
        for tracker in trackers:
            tracker.doubt(self._now())

    def _take_rejected(self, one: Rejected) -> None:
        tracker = self.trackers.get(one.symbol)
        if tracker is None or one.trade_id is None or one.timestamp is None:
            self._reject(one.excerpt, one.reason)
            self._doubt([tracker] if tracker else self.trackers.values())
        elif tracker.reject(one.trade_id, one.timestamp, None):
            self._reject(one.excerpt, one.reason)

    def _interrupted(self, reason: str) -> None:
        if not self._is_down:
            self.interruptions += 1
            telemetry.warning(logger, "feed.interrupted", venue=self.venue.name, reason=reason)
        self._is_down = True
        for tracker in self.trackers.values():
            tracker.interrupted()

    def _reject(self, excerpt: str, reason: str) -> None:
        self.unreadable += 1
        if len(self.samples) < MOST_SAMPLES:
            self.samples.append(f"{reason}: {excerpt}"[:MOST_EXCERPT])

    def _now(self) -> int:
        return microseconds(self._clock())


def intakes_of(
    markets: Iterable[Market],
    clients: Mapping[str, VenueClient],
    bounds: Bounds,
    inbox: Inbox,
    clock: Callable[[], datetime],
) -> list[VenueIntake]:
    """Make one intake a venue; `clients` are by the venue's name."""
    by_venue: dict[str, list[Market]] = {}
    for market in markets:
        by_venue.setdefault(market.venue.name, []).append(market)
    return [
        VenueIntake(own[0].venue, clients[name], _trackers(own, bounds), inbox, clock) for name, own in by_venue.items()
    ]


def _trackers(markets: Iterable[Market], bounds: Bounds) -> dict[str, Tracker]:
    return {one.symbol: RestartingTracker(bounds) if one.venue.contiguous else TimeTracker(bounds) for one in markets}
