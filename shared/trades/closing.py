"""Closing a window of the markets: check that its slices and the window before join, and get what they lack."""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.windows.plan import Plan
from shared.domain.windows.window import Slice, Window, microseconds
from shared.errors import Unavailable
from shared.feeds.slicing import SliceClock, StreamRecords
from shared.trades.completeness.gaps import HistoryQuery, SearchOutcome, bounds_of
from shared.trades.completeness.reports import SliceReport
from shared.trades.completeness.seams import (
    ClosingReport,
    LostInterval,
    missing_ids_of,
    observations_of,
    rechecks_of,
    seams_of,
)
from shared.trades.completeness.sequence_check import SequenceCheck
from shared.trades.completeness.time_check import TimeCheck
from shared.trades.connection.client import VenueClient
from shared.trades.handover import Handover
from shared.trades.history import History, TakeTrades, search
from shared.trades.inbox import Inbox
from shared.trades.venues.registry import Market, parse_market
from shared.trades.venues.trade import Trade

CLOSE_FOR: Final = timedelta(seconds=60)
"""How long the history is asked again while it does not answer."""

TRY_EVERY: Final = 2.0


class WindowClosing:
    """A `SliceSource`: the trades of a window that its slices lack, and what is lost.

    window: the plan's, but for its end where it was stopped. reports: of each slice its completed attempt. previous:
    the last slice of the window before, where that ends at this one's start, else None. `venues` are the clients by
    the venue's name. A second closing with the same reports gives the same trades again.
    """

    def __init__(
        self,
        plan: Plan,
        window: Window,
        reports: Sequence[SliceReport],
        previous: SliceReport | None,
        venues: Mapping[str, VenueClient],
        clock: SliceClock,
    ) -> None:
        self._plan = plan
        self._window = window
        self._reports = reports
        self._previous = previous
        self._venues = venues
        self._clock = clock
        self._bounds = bounds_of(Slice(window.id, 0, window.start, window.end), plan.lead, plan.grace)
        self._markets = [parse_market(source) for source in plan.sources]
        self._inbox = Inbox()
        self._handover = Handover(plan, self._markets, self._inbox)
        self._lost: list[LostInterval] = []
        self._seams: list[tuple[int, int]] = []
        self._warnings: list[str] = []
        self._ids: dict[str, tuple[int, int]] = {}

    async def batches(self) -> AsyncGenerator[StreamRecords]:
        """Give what the histories of all venues, asked side by side, have of the missing trades.

        Raises FeedRefused; a history that does not answer for a minute makes lost intervals, not an error.
        """
        deadline = self._clock.clock() + CLOSE_FOR
        work = [self._close_venue(name, deadline) for name in sorted({market.venue.name for market in self._markets})]
        async with aclosing(self._handover.while_running(*work)) as batches:
            async for batch in batches:
                yield batch

    def report(self) -> dict[str, Any]:
        """Give the wire form of the `ClosingReport`."""
        added: Counter[str] = Counter()
        for (market, _), count in self._handover.counts.items():
            added[market] += count
        return ClosingReport(
            "incomplete" if self._lost else "closed",
            tuple(self._lost),
            seams=sum(seams for seams, _ in self._seams),
            broken=sum(broken for _, broken in self._seams),
            added=added,
            ids=self._ids,
            warnings=tuple(self._warnings),
        ).as_wire()

    async def _close_venue(self, name: str, deadline: datetime) -> None:
        for market in (market for market in self._markets if market.venue.name == name):
            history = History(market.venue, self._venues[name], self._clock.clock, deadline)
            close = self._close_by_ids if market.venue.contiguous else self._close_by_times
            await close(market, history)

    async def _close_by_ids(self, market: Market, history: History) -> None:
        observed = observations_of(market.name, self._reports)
        previous = self._previous.of(market.name) if self._previous else None
        check = SequenceCheck(self._bounds, missing_ids_of(self._window, observed, previous))
        for query in check.queries(observed):
            if not check.is_met(query):
                outcome, detail = await self._search(history, market.symbol, query, self._taking(check))
                check.ended(query, outcome, detail)
        self._seams.append(seams_of(observed, previous, check.missing))
        self._note(market.name, check, check.ids(observed))

    async def _close_by_times(self, market: Market, history: History) -> None:
        observed = observations_of(market.name, self._reports)
        check = TimeCheck(self._bounds, rechecks_of(self._window, observed))
        if query := check.query():
            outcome, detail = await self._search(history, market.symbol, query, self._taking(check))
            check.ended(outcome, detail, microseconds(self._clock.clock()))
        self._note(market.name, check, None)

    def _note(self, market: str, check: SequenceCheck | TimeCheck, ids: tuple[int, int] | None) -> None:
        self._lost += check.lost(market)
        self._warnings += [f"{market}: {warning}" for warning in check.warnings()]
        if ids:
            self._ids[market] = ids

    def _taking(self, check: SequenceCheck | TimeCheck) -> TakeTrades:
        async def take(trades: Sequence[Trade]) -> None:
            self._inbox.add([trade for trade in trades if check.take(trade.trade_id, trade.timestamp)])
            await self._inbox.room()

        return take

    async def _search(
        self, history: History, symbol: str, query: HistoryQuery, take: TakeTrades
    ) -> tuple[SearchOutcome, str]:
        while True:
            try:
                return await search(history, symbol, query, take), ""
            except Unavailable as error:
                if history.deadline and self._clock.clock() + timedelta(seconds=TRY_EVERY) >= history.deadline:
                    return "failed", str(error)
            await self._clock.sleep(TRY_EVERY)
