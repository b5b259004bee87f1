"""Closing a window of the markets: check that its slices and the window before join, and get what they lack."""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from typing import Any, Final

from shared.domain.windows.window import Slice, microseconds
from shared.errors import FeedRefused, IngestionError
from shared.feeds.slicing import CloseRequest, SliceClock, StreamRecords
from shared.trades.completeness.gaps import HistoryQuery, bounds_of
from shared.trades.completeness.relisting import generations_of
from shared.trades.completeness.reports import MOST_SAMPLES, SliceReport
from shared.trades.completeness.seams import (
    ClosingReport,
    LostInterval,
    SliceObservation,
    missing_ids_of,
    observations_of,
    rechecks_of,
    seams_of,
)
from shared.trades.completeness.sequence_check import SequenceCheck
from shared.trades.completeness.time_check import TimeCheck
from shared.trades.connection.client import VenueClient
from shared.trades.handover import Handover
from shared.trades.history import History, search
from shared.trades.inbox import Inbox
from shared.trades.venues.readings import Rejected
from shared.trades.venues.registry import Market, parse_market
from shared.trades.venues.venue import HistoryPage

SILENCE: Final = timedelta(seconds=60)
"""How long a venue's history is asked for one page that does not come; an answer begins the count again."""


_NOTHING_YET: Final = ClosingReport("closed", (), seams=0, broken=0)


class WindowClosing:
    """A `SliceSource`: the trades of a window that its slices lack, and what is lost.

    `venues` are the clients by the venue's name. Markets that are not done when the request says to leave off stand in
    the report's `rest`, with what was met of them. A second closing with the same request gives the same trades again.
    A failure of one venue never ends the closing.
    """

    def __init__(self, request: CloseRequest, venues: Mapping[str, VenueClient], clock: SliceClock) -> None:
        plan, window = request.plan, request.window
        self._plan = plan
        self._window = window
        self._reports = [SliceReport.from_wire(report) for report in request.reports]
        self._previous = SliceReport.from_wire(request.previous) if request.previous else None
        self._venues = venues
        self._clock = clock
        self._until = request.until
        self._earlier = ClosingReport.from_wire(request.earlier) if request.earlier else _NOTHING_YET
        self._bounds = bounds_of(Slice(window.id, 0, window.start, window.end), plan.lead, plan.grace)
        markets = [parse_market(source) for source in plan.sources]
        self._markets = [one for one in markets if request.earlier is None or one.name in self._earlier.rest]
        self._inbox = Inbox()
        self._handover = Handover(plan, self._markets, self._inbox)
        self._rest: dict[str, Sequence[Mapping[str, Any]]] = {
            market.name: self._earlier.rest.get(market.name, ()) for market in self._markets
        }
        self._lost: list[LostInterval] = []
        self._seams: list[tuple[int, int]] = []
        self._warnings: list[str] = []
        self._rejected: list[str] = []
        self._ids: dict[str, tuple[int, int]] = {}

    async def batches(self) -> AsyncGenerator[StreamRecords]:
        """Give what the histories of all venues, asked side by side, have of the missing trades.

        A window of the past that is stopped gives nothing more. The venues are closed at the end.
        """
        names = sorted({market.venue.name for market in self._markets})
        async with AsyncExitStack() as stack:
            for name in names:
                await stack.enter_async_context(aclosing(self._venues[name]))
            work = self._handover.while_running(*(self._close_venue(name) for name in names))
            async with aclosing(work) as batches:
                async for batch in batches:
                    if self._plan.past and self._clock.stop_at() is not None:
                        return
                    yield batch

    def report(self) -> dict[str, Any]:
        """Give the wire form of the `ClosingReport`, of the earlier closing and this one together."""
        added = Counter(self._earlier.added)
        for (market, _), count in self._handover.counts.items():
            added[market] += count
        lost = (*self._earlier.lost, *self._lost)
        return ClosingReport(
            "incomplete" if lost else "closed",
            lost,
            seams=self._earlier.seams + sum(seams for seams, _ in self._seams),
            broken=self._earlier.broken + sum(broken for _, broken in self._seams),
            added=added,
            ids={**self._earlier.ids, **self._ids},
            warnings=(*self._earlier.warnings, *self._warnings),
            rest=self._rest,
            rejected=self._earlier.rejected + len(self._rejected),
            samples=(*self._earlier.samples, *self._rejected)[:MOST_SAMPLES],
        ).as_wire()

    async def _close_venue(self, name: str) -> None:
        """Close the markets of one venue, one after the other; whatever fails in one is its own loss."""
        client, time = self._venues[name], self._clock
        venue = next(market.venue for market in self._markets if market.venue.name == name)
        history = History(venue, client, time.clock, time.sleep, self._until, SILENCE)
        for market in (market for market in self._markets if market.venue.name == name):
            await (self._close_by_ids if venue.contiguous else self._close_by_times)(market, history)

    async def _close_by_ids(self, market: Market, history: History) -> None:
        previous = self._previous.of(market.name) if self._previous else None
        generations = generations_of(observations_of(market.name, self._reports), self._window)
        befores = [previous, *([None] * (len(generations) - 1))]
        rows = list(zip(generations, befores, strict=True))
        checks = [SequenceCheck(self._bounds, missing_ids_of(self._window, *row)) for row in rows]
        for check, met in zip(checks, self._rest[market.name], strict=False):
            check.resume(met)
        for check, (observed, _) in zip(checks, rows, strict=True):
            await self._search_ids(history, market, check, observed)
        if history.is_over:
            self._rest[market.name] = [check.as_wire() for check in checks]
            return
        for check, (observed, before) in zip(checks, rows, strict=True):
            self._seams.append(seams_of(observed, before, check.missing))
            if ids := check.ids(observed):
                self._ids[market.name] = ids
            self._note(market.name, check)
        del self._rest[market.name]

    async def _search_ids(
        self, history: History, market: Market, check: SequenceCheck, observed: list[SliceObservation]
    ) -> None:
        for query in check.queries(observed):
            if not (history.is_over or check.is_met(query)):
                await self._search(history, market, query, check)

    async def _close_by_times(self, market: Market, history: History) -> None:
        observed = observations_of(market.name, self._reports)
        check = TimeCheck(self._bounds, rechecks_of(self._window, observed))
        if query := check.query():
            await self._search(history, market, query, check)
        if not history.is_over:
            self._note(market.name, check)
            del self._rest[market.name]

    def _note(self, market: str, check: SequenceCheck | TimeCheck) -> None:
        self._lost += check.lost(market)
        self._warnings += [f"{market}: {warning}" for warning in check.warnings()]

    async def _search(
        self, history: History, market: Market, query: HistoryQuery, check: SequenceCheck | TimeCheck
    ) -> None:
        """Search; a venue that was silent for long is asked no more, and a market that is refused neither."""
        refused = next((one.refused[market.name] for one in self._reports if market.name in one.refused), "")
        if reason := refused or _reason(history):
            check.ended(query, "failed", reason, self._now())
            return

        async def take(page: HistoryPage) -> None:
            self._inbox.add([trade for trade in page.trades if check.take(trade.trade_id, trade.timestamp)])
            self._rejected += [_sample(one) for one in page.rejected if _is_new(one, check)]
            await self._inbox.room()

        try:
            check.ended(query, await search(history, market.symbol, query, take), "", self._now())
        except FeedRefused as refusal:
            check.ended(query, "failed", str(refusal), self._now())
        except IngestionError as error:
            check.ended(query, "failed", _reason(history) or str(error), self._now())

    def _now(self) -> int:
        return microseconds(self._clock.clock())


def _is_new(one: Rejected, check: SequenceCheck | TimeCheck) -> bool:
    if one.trade_id is None or one.timestamp is None:
        return True
    return check.reject(one.trade_id, one.timestamp)


def _sample(one: Rejected) -> str:
    return f"{one.reason}: {one.excerpt}"


def _reason(history: History) -> str:
    return history.silent
