"""Closes a window of a live feed: checks that its slices and the window before join, and gets what they lack."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.clients.event_hubs.hubs import Sender
from shared.domain.windows.plan import Plan
from shared.domain.windows.window import Slice, Window, microseconds
from shared.errors import SendFailed, Unavailable
from shared.feeds.slicing import SliceClock, StreamCounts
from shared.trades.completeness.gaps import Bounds, Outcome, Want, bounds_of
from shared.trades.completeness.reports import SliceReport
from shared.trades.completeness.seams import Closing, Lost, joins_of, rechecks_of, search_of, sights_of
from shared.trades.completeness.sequence_check import Findings
from shared.trades.completeness.time_check import TimeFindings
from shared.trades.connection.client import Market
from shared.trades.history import History, Take, search
from shared.trades.outlet import TradeOutlet
from shared.trades.side_by_side import side_by_side
from shared.trades.venues.registry import parse_market
from shared.trades.venues.trade import Trade

CLOSE_FOR: Final = timedelta(seconds=60)
"""How long the history is asked again while it does not answer."""

TRY_EVERY: Final = 2.0


@dataclass(frozen=True, slots=True)
class CloseOrder:
    """What to close: `window` is the plan's, but for its end where it was stopped.

    reports: of each slice its completed attempt. previous: the last slice of the window before, where that ends at
    this one's start, else None.
    """

    plan: Plan
    window: Window
    reports: Sequence[SliceReport]
    previous: SliceReport | None = None


async def close_live_window(
    order: CloseOrder, *, markets: Mapping[str, Market], sender: Sender, pace: SliceClock, tally: StreamCounts
) -> Closing:
    """Send the window's trades that its slices lack, under `<window id>/close.1`, and say what is lost.

    A second call with the same reports sends the same trades again. Raises FeedRefused, LoginRefused and SendFailed;
    a history that does not answer for a minute makes lost intervals, not an error.
    """
    closer = _Closer(order, markets, TradeOutlet(order.plan.streams[0], _attempt_id(order), sender, tally), pace)
    await side_by_side(*(closer.close_venue(name) for name in _venues(order.plan)))
    return closer.closing()


class _Closer:
    def __init__(self, order: CloseOrder, markets: Mapping[str, Market], outlet: TradeOutlet, pace: SliceClock) -> None:
        self._order = order
        self._markets = markets
        self._outlet = outlet
        self._pace = pace
        self._deadline = pace.clock() + CLOSE_FOR
        self._bounds = _bounds(order)
        self._lost: list[Lost] = []
        self._joins: list[tuple[int, int]] = []
        self._warnings: list[str] = []
        self._ids: dict[str, tuple[int, int]] = {}

    async def close_venue(self, name: str) -> None:
        for source in self._order.plan.sources:
            adapter, symbol = parse_market(source)
            if adapter.name != name:
                continue
            history = History(adapter, self._markets[name], self._pace.clock, self._deadline)
            close = self._close_numbered if adapter.contiguous else self._close_timed
            await close(source, symbol, history)

    def closing(self) -> Closing:
        added: Counter[str] = Counter()
        for (market, _), count in self._outlet.sent.items():
            added[market] += count
        return Closing(
            "incomplete" if self._lost else "closed",
            tuple(self._lost),
            joins=sum(joins for joins, _ in self._joins),
            broken=sum(broken for _, broken in self._joins),
            added=added,
            ids=self._ids,
            warnings=tuple(self._warnings),
        )

    async def _close_numbered(self, source: str, symbol: str, history: History) -> None:
        sights = sights_of(source, self._order.reports)
        previous = self._order.previous.of(source) if self._order.previous else None
        findings = Findings(self._bounds, search_of(self._order.window, sights, previous))
        for want in findings.wants(sights):
            if not findings.is_met(want):
                outcome, detail = await self._search(history, symbol, want, self._taking(findings))
                findings.ended(want, outcome, detail)
        self._joins.append(joins_of(sights, previous, findings.search))
        self._note(source, findings, findings.ids(sights))

    async def _close_timed(self, source: str, symbol: str, history: History) -> None:
        sights = sights_of(source, self._order.reports)
        findings = TimeFindings(self._bounds, rechecks_of(self._order.window, sights))
        if want := findings.want():
            outcome, detail = await self._search(history, symbol, want, self._taking(findings))
            findings.ended(outcome, detail, microseconds(self._pace.clock()))
        self._note(source, findings, None)

    def _note(self, source: str, findings: Findings | TimeFindings, ids: tuple[int, int] | None) -> None:
        self._lost += findings.lost(source)
        self._warnings += [f"{source}: {warning}" for warning in findings.warnings()]
        if ids:
            self._ids[source] = ids

    def _taking(self, findings: Findings | TimeFindings) -> Take:
        async def take(trades: Sequence[Trade]) -> None:
            if lacking := [trade for trade in trades if findings.take(trade.trade_id, trade.timestamp)]:
                await self._outlet.send(lacking)

        return take

    async def _search(self, history: History, symbol: str, want: Want, take: Take) -> tuple[Outcome, str]:
        while True:
            try:
                return await search(history, symbol, want, take), ""
            except Unavailable as error:
                if isinstance(error, SendFailed):
                    raise
                if self._pace.clock() + timedelta(seconds=TRY_EVERY) >= self._deadline:
                    return "failed", str(error)
            await self._pace.sleep(TRY_EVERY)


def _attempt_id(order: CloseOrder) -> str:
    return f"{order.window.id}/close.1"


def _venues(plan: Plan) -> list[str]:
    return sorted({source.partition(":")[0] for source in plan.sources})


def _bounds(order: CloseOrder) -> Bounds:
    whole = Slice(order.window.id, 0, order.window.start, order.window.end)
    return bounds_of(whole, order.plan.lead, order.plan.grace)
