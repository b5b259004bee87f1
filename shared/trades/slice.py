"""Ingesting one slice of a live feed: listen, keep what is the slice's by time, fill what is missing, send, report."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.clients.event_hubs.hubs import Sender
from shared.domain.windows.plan import SliceAttempt
from shared.domain.windows.window import microseconds
from shared.feeds.slicing import SliceClock, StreamCounts
from shared.trades.completeness.gaps import Bounds, bounds_of
from shared.trades.completeness.reports import MarketReport, SliceReport
from shared.trades.connection.client import Market
from shared.trades.filling import Filler
from shared.trades.intake import Inbox, VenueIntake, intakes_of
from shared.trades.outlet import TradeOutlet
from shared.trades.side_by_side import side_by_side
from shared.trades.venues.trade import Trade

FLUSH_EVERY: Final = 1.0
FLUSH_AT: Final = 10_000
SEARCH_FOR: Final = timedelta(seconds=20)
"""How long after its grace a slice may still ask the history."""

STOPPED_WAIT: Final = timedelta(seconds=1.5)
STOPPED_SEARCH: Final = timedelta(seconds=1)


async def ingest_live_slice(
    order: SliceAttempt, *, markets: Mapping[str, Market], sender: Sender, pace: SliceClock, tally: StreamCounts
) -> SliceReport:
    """Send the slice's trades of the plan's sources, and say what was seen, filled and missed.

    Called at `start − lead` it listens until `end + grace`; called later it gets what it missed from the history, and
    called after the end it asks the history alone. `markets` are by venue. Frames that can't be read are counted.
    Raises FeedRefused with the venue's words, LoginRefused, SendFailed, and Unavailable where a venue can't be trusted.
    """
    return await _LiveSlice(order, markets, sender, pace, tally).run()


class _LiveSlice:
    def __init__(
        self, order: SliceAttempt, markets: Mapping[str, Market], sender: Sender, pace: SliceClock, tally: StreamCounts
    ) -> None:
        self._order = order
        self._pace = pace
        self._end = order.part.end
        self._bounds = bounds_of(order.part, order.plan.lead, order.plan.grace)
        self._inbox = Inbox()
        self._venues = intakes_of(order.plan.sources, markets, self._bounds, self._inbox)
        self._outlet = TradeOutlet(order.plan.streams[0], order.part.attempt_id(order.attempt), sender, tally)
        self._gate = asyncio.Lock()

    async def run(self) -> SliceReport:
        """Ingest the slice from now on."""
        began = self._pace.clock()
        if began < self._end:
            await self._listen()
        else:
            await self._sleep_until(self._end + self._order.plan.grace)
        await self._settle(began)
        return self._report()

    async def _listen(self) -> None:
        await side_by_side(
            self._flush_until_end(),
            meanwhile=[
                *(self._follow(venue) for venue in self._venues),
                *(self._fill_forever(venue) for venue in self._venues),
            ],
        )

    async def _follow(self, venue: VenueIntake) -> None:
        async with aclosing(venue.source.follow(tuple(venue.lives))) as events:
            async for event in events:
                venue.take(event, microseconds(self._pace.clock()))

    async def _fill_forever(self, venue: VenueIntake) -> None:
        filler = Filler(venue, self._pace.clock, self._hold)
        while True:
            await self._pace.sleep(FLUSH_EVERY)
            await filler.fill_due()

    async def _flush_until_end(self) -> None:
        while (left := (self._listen_until() - self._pace.clock()).total_seconds()) > 0:
            await self._pace.sleep(min(FLUSH_EVERY, left))
            self._heed_stop()
            await self._flush()

    def _listen_until(self) -> datetime:
        grace = self._order.plan.grace
        return self._end + (min(grace, STOPPED_WAIT) if self._is_stopped else grace)

    @property
    def _is_stopped(self) -> bool:
        return self._end < self._order.part.end

    def _heed_stop(self) -> None:
        stop_at = self._pace.stop_at()
        if stop_at is None or stop_at >= self._end:
            return
        self._end = max(stop_at, self._order.part.start)
        for venue in self._venues:
            venue.stop(microseconds(self._end))

    async def _settle(self, began: datetime) -> None:
        """Search for all that is still missing, for as long as the slice has."""
        self._heed_stop()
        plan, part = self._order.plan, self._order.part
        deadline = began + plan.lead + (part.end - part.start) + plan.grace + SEARCH_FOR
        if self._is_stopped:
            deadline = self._pace.clock() + STOPPED_SEARCH
        fillers = [Filler(venue, self._pace.clock, self._send_much, deadline) for venue in self._venues]
        await side_by_side(*(filler.fill_all(self._pace.sleep) for filler in fillers))
        await self._flush()

    async def _hold(self, trades: Sequence[Trade]) -> None:
        """Leave the sending to others: whoever calls may be cancelled, and what was half sent would be forgotten."""
        self._inbox.trades += trades

    async def _send_much(self, trades: Sequence[Trade]) -> None:
        await self._hold(trades)
        if len(self._inbox.trades) >= FLUSH_AT:
            await self._flush()

    async def _flush(self) -> None:
        async with self._gate:
            if trades := self._inbox.drain():
                await self._outlet.send(trades)

    async def _sleep_until(self, instant: datetime) -> None:
        while (left := (instant - self._pace.clock()).total_seconds()) > 0 and not self._is_stopped:
            await self._pace.sleep(min(FLUSH_EVERY, left))
            self._heed_stop()

    def _report(self) -> SliceReport:
        markets = tuple(
            self._with_counts(live.report(f"{venue.name}:{symbol}"))
            for venue in self._venues
            for symbol, live in venue.lives.items()
        )
        return SliceReport(
            replace(self._order.part, end=self._end),
            self._order.attempt,
            markets,
            self._inbox.connections,
            self._inbox.interruptions,
            self._inbox.unreadable,
            tuple(self._inbox.samples),
            tuple(warning for market in markets for warning in _warnings(market, self._bounds)),
        )

    def _with_counts(self, market: MarketReport) -> MarketReport:
        sent = {origin: count for (name, origin), count in self._outlet.sent.items() if name == market.market}
        return replace(market, sent=sent)


def _warnings(market: MarketReport, bounds: Bounds) -> list[str]:
    """Say where the clocks differ by so much that the lead or the grace may soon not bear it."""
    grace, lead = bounds.grace // 2000, bounds.lead // 2000
    found = []
    if market.lag_ms > grace:
        found.append(
            f"{market.market}: a trade came {market.lag_ms} ms late, which is over half the grace ({grace} ms)"
        )
    if market.ahead_ms > lead:
        found.append(
            f"{market.market}: its clock is {market.ahead_ms} ms ahead, which is over half the lead ({lead} ms)"
        )
    return found
