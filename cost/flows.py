"""What a feed sends, found out by the code that sends it: a slice is drawn and packed by a clock of its own."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from cost.case import StreamFlow
from shared.clients.destination import Sender
from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event
from shared.domain.sinks import SinkMeter, Sinks
from shared.domain.windows.plan import Plan, SliceAttempt, StreamPlan
from shared.domain.windows.window import Window, microseconds
from shared.errors import FeedUnusable
from shared.feeds.feed import Drawing, Drawn, Exchanges, Feed
from shared.feeds.records import Records
from shared.feeds.slicing import SliceClock, StreamCounts
from shared.flows.drawn_slice import DrawnSlice
from shared.flows.outlet import connected_outlets, deliver
from shared.settings.feeds import FeedSettings
from shared.trades.slice import FLUSH_EVERY
from shared.trades.venues.lines import as_records
from shared.trades.venues.trade import Trade

_BEGIN: Final = datetime(2026, 11, 2, 12, tzinfo=UTC)
"""A Monday's noon, at which windows of any grid begin."""


@dataclass(slots=True)
class Flows:
    """Measures feeds; a pool is built once. partitions: of each hub. trades: of all markets together, a second."""

    partitions: int
    trades: float
    _drawings: dict[str, Drawing] = field(default_factory=dict, init=False)

    def of(self, settings: FeedSettings, *, packed: bool = False) -> tuple[StreamFlow, ...]:
        """Give what the streams of a feed send in a second of its windows; packed: in packs with zstd, else as set.

        Raises FeedUnusable for a feed whose records can't be drawn here.
        """
        streams = tuple(map(in_packs, settings.template.streams)) if packed else settings.template.streams
        length = min(settings.template.slice_length, settings.schedule.length)
        window = Window(settings.feed.name, _BEGIN, _BEGIN + length)
        template = replace(settings.template, slice_length=length, streams=streams)
        hubs = {hub: self.partitions for stream in streams for hub in stream.hubs}
        plan = template.freeze(window, _BEGIN - timedelta(minutes=1), "", hubs)
        meters = asyncio.run(self._sent(settings.feed, plan))
        return tuple(_flow(stream, meters[stream.name], length) for stream in streams)

    async def _sent(self, feed: Feed, plan: Plan) -> Mapping[str, SinkMeter]:
        """Run the plan's one slice into meters, one for each stream."""
        meters = {stream.name: SinkMeter() for stream in plan.streams}

        def connect(stream: StreamPlan, attempt_id: str, sinks: Sinks) -> AbstractAsyncContextManager[Sender]:  # noqa: ARG001 - as Destinations are
            return nullcontext(_Counting(meters[stream.name]))

        counts = {stream.name: StreamCounts() for stream in plan.streams}
        attempt = SliceAttempt(plan, plan.slices()[0], 1)
        async with connected_outlets(plan.streams, connect, "cost", counts) as outlets:
            match feed.source:
                case Drawn() as drawn:
                    await deliver(DrawnSlice(attempt, self._drawing(feed.name, drawn).draw, _clock()), outlets)
                case Exchanges():
                    for second in _seconds_of_trades(plan, self.trades):
                        await outlets[plan.streams[0].name].send(second)
        return meters

    def _drawing(self, name: str, drawn: Drawn) -> Drawing:
        if name not in self._drawings:
            pool = drawn.build(drawn.seed, lambda _: None)
            self._drawings[name] = Drawing(pool, drawn.draw(pool))
        return self._drawings[name]


def in_packs(stream: StreamPlan) -> StreamPlan:
    """Give a stream that goes to a hub as one that goes there in packs with zstd; others stay."""
    return replace(stream, packing="pack", encoding="zstd") if stream.destination == "hub" else stream


@dataclass(frozen=True, slots=True)
class _Counting:
    """Takes all events, and counts them as a hub bills them."""

    meter: SinkMeter

    async def send(self, events: Sequence[Event]) -> Delivery:
        delivery = Delivery(accepted=sum(event.rows for event in events), events=len(events))
        self.meter.settle(events, delivery, Charge())
        return delivery


def _flow(stream: StreamPlan, meter: SinkMeter, length: timedelta) -> StreamFlow:
    taken, seconds = meter.delivery, length.total_seconds()
    sums = (taken.accepted, taken.events, meter.billed_events, meter.bytes)
    return StreamFlow(stream.name, stream.destination, *(each / seconds for each in sums))


def _clock() -> SliceClock:
    """Give a clock that goes on by what is slept, and by nothing else."""
    now = [_BEGIN]

    async def sleep(seconds: float) -> None:
        now[0] += timedelta(seconds=max(seconds, 1e-6))

    return SliceClock(lambda: now[0], sleep, lambda: None)


def _seconds_of_trades(plan: Plan, rate: float) -> Iterable[Records]:
    """Give trades as live slices hand them on, each second's at once; the markets take turns."""
    if not plan.sources:
        raise FeedUnusable("There is no market: TRADES_SOURCES is blank.")
    markets = [source.partition("=")[0] for source in plan.sources]
    tickers = dict.fromkeys(markets, ("BTC", "USD"))
    flushes = round(plan.window.length.total_seconds() / FLUSH_EVERY)
    bounds = [round(number * rate * FLUSH_EVERY) for number in range(flushes + 1)]
    for first, end in pairwise(bounds):
        if end > first:
            yield as_records([_trade(markets[n % len(markets)], n) for n in range(first, end)], tickers)


def _trade(market: str, number: int) -> Trade:
    """Make a trade whose texts are as long as those of a usual one."""
    venue, _, symbol = market.partition(":")
    at = microseconds(_BEGIN) + number
    return Trade(venue, symbol, 700_000_000 + number, "87654.32", "0.01234567", "sell", "maker_side", at, at, "live")
