"""A venue whose truth is known, in a loop whose time is played: nothing waits and nothing connects."""

import asyncio
import json
import selectors
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.delivery import Delivery, Event
from shared.domain.windows.plan import Plan, SliceAttempt, StreamPlan
from shared.domain.windows.window import Window, microseconds
from shared.errors import SendFailed, Unavailable
from shared.feeds.packing import Packing, as_events
from shared.feeds.slicing import CloseRequest, SliceClock, SliceSource
from shared.trades.completeness.reports import SliceReport
from shared.trades.completeness.seams import LostInterval
from shared.trades.connection.connection import Listener
from shared.trades.source import closing_source, slice_source
from shared.trades.venues.readings import Connected, FeedEvent, Heartbeat, Interrupted, Snapshot, Traded
from shared.trades.venues.registry import venue
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest

ZERO = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECOND = 1_000_000
SYMBOLS = {"coinbase": "BTC-USD", "binance": "BTCUSDT", "bitstamp": "btcusd"}


def at(seconds: float) -> int:
    """Give the microseconds of a moment that many seconds after ZERO."""
    return microseconds(ZERO) + round(seconds * SECOND)


@dataclass(frozen=True, slots=True)
class Deal:
    """A true trade; seconds after ZERO. done: the exchange's time. told: in the history. heard: on the websocket."""

    trade_id: int
    done: float
    told: float
    heard: float | None
    kept: bool = True


class PlayedLoop(asyncio.SelectorEventLoop):
    """An event loop that, instead of waiting, moves its clock on."""

    def __init__(self) -> None:
        super().__init__(_Impatient())

    def time(self) -> float:
        return self._selector.played  # type: ignore[attr-defined]


class _Impatient(selectors.SelectSelector):
    played = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits for something that never comes"
            self.played += max(timeout, 0.0)
        return ready


def played(work: Coroutine[Any, Any, Any], begin: float = 0.0) -> Any:
    """IdRange to the end, from `begin` seconds after ZERO."""
    with asyncio.Runner(loop_factory=PlayedLoop) as runner:
        runner.get_loop()._selector.played = 1000.0 + begin  # type: ignore[attr-defined]
        return runner.run(work)


def seconds() -> float:
    """Give the seconds since ZERO in the played loop."""
    return asyncio.get_running_loop().time() - 1000.0


def clock() -> datetime:
    return ZERO + timedelta(seconds=seconds())


async def until(moment: float) -> None:
    if moment > seconds():
        await asyncio.sleep(moment - seconds())


@dataclass(slots=True)
class SimulatedVenue:
    """One venue with one symbol; `outages` of the websocket and `deaf` ones of the history are spans of seconds."""

    name: str
    deals: Sequence[Deal]
    outages: Sequence[tuple[float, float]] = ()
    deaf: Sequence[tuple[float, float]] = ()
    anchors: bool = False
    heartbeats: bool = False
    replays: int = 0
    page_size: int = 7
    asked: int = 0
    closed: int = 0
    script: Sequence[FeedEvent] = ()

    def trade(self, deal: Deal, origin: str, received: float) -> Trade:
        symbol = SYMBOLS[self.name]
        return Trade(
            self.name,
            symbol,
            deal.trade_id,
            "1.50",
            "2",
            "buy",
            "taker",
            at(deal.done),
            at(received),
            origin,
        )

    async def follow(self, symbols: Sequence[str], listener: Listener) -> None:
        async with aclosing(self._events()) as events:
            async for event in events:
                listener.take(event)
                await listener.room()

    async def _events(self) -> AsyncGenerator[FeedEvent]:
        for event in self.script:
            yield event
        for number, (begin, end) in enumerate(self._spells(seconds()), start=1):
            await _until(begin)
            yield Connected(number)
            async for event in self._spell(begin, end, number):
                yield event
            await _until(end + 0.3)
            yield Interrupted("played")
        await asyncio.Event().wait()

    async def _spell(self, begin: float, end: float, number: int) -> AsyncGenerator[FeedEvent]:
        past = [deal for deal in self.deals if deal.told <= begin]
        if self.anchors and past:
            newest = past[-1]
            yield Snapshot(f"{self.name}:{SYMBOLS[self.name]}", newest.trade_id, at(newest.done))
        if number > 1 and self.replays:
            yield Traded(tuple(self.trade(deal, "live", begin) for deal in past[-self.replays :] if deal.heard))
        for moment, deal in self._agenda(begin, end):
            await _until(moment)
            if deal is not None:
                yield Traded((self.trade(deal, "live", moment),))
            elif newest := [one for one in self.deals if one.told <= moment]:
                yield Heartbeat(f"{self.name}:{SYMBOLS[self.name]}", newest[-1].trade_id)

    def _agenda(self, begin: float, end: float) -> list[tuple[float, Deal | None]]:
        trades = [(d.heard, d) for d in self.deals if d.heard is not None and begin < d.heard < end and d.told > begin]
        beats = [(begin + n, None) for n in range(1, 200) if begin + n < min(end, 200)] if self.heartbeats else []
        return sorted([*trades, *beats], key=lambda one: one[0])

    def _spells(self, now: float) -> list[tuple[float, float]]:
        spells, begin = [], now
        for down, up in sorted(self.outages):
            if begin < down:
                spells.append((begin, down))
            begin = max(begin, up)
        return [*spells, (begin, 1e6)]

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        self.asked += 1
        await asyncio.sleep(0.05)
        if any(down <= seconds() < up for down, up in self.deaf):
            raise Unavailable("the played history is deaf")
        request = request or venue(self.name).newest(symbol)
        told = [deal for deal in self.deals if deal.told <= seconds() and deal.kept]
        if self.name == "bitstamp":
            return self._span(told, request)
        before = int(request.query.get("after", 1 << 60))
        found = [deal for deal in told if deal.trade_id < before][-self.page_size :]
        more = found and found[0].trade_id > 1
        older = venue(self.name).older_than(symbol, found[0].trade_id, 0) if more else None
        return HistoryPage(tuple(self.trade(deal, "rest", seconds()) for deal in found), older)

    async def symbols(self) -> Mapping[str, tuple[str, str]]:
        return {SYMBOLS[self.name]: ("BTC", "USD")}

    async def aclose(self) -> None:
        self.closed += 1

    def _span(self, told: list[Deal], request: HistoryRequest) -> HistoryPage:
        hour = request.query["time"] == "hour"
        found = [deal for deal in told if not hour or deal.done > seconds() - 20]
        older = HistoryRequest(request.path, {"time": "day"}) if hour else None
        return HistoryPage(tuple(self.trade(deal, "rest", seconds()) for deal in found), older)


async def _until(moment: float) -> None:
    await until(moment)


@dataclass(slots=True)
class SimulatedHub:
    """Keeps what it is sent: (slice, record) pairs; fails after `capacity` sends of `slow` seconds each."""

    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    capacity: int = 1 << 30
    slow: float = 0.0
    accepted: int = 0

    async def send(self, events: Sequence[Event]) -> Delivery:
        if self.capacity <= 0:
            raise SendFailed("the played hub is full")
        self.capacity -= 1
        await asyncio.sleep(self.slow)
        for event in events:
            lines = event.body.splitlines()
            self.sent += [(str(event.properties["slice"]), json.loads(line)) for line in lines]
        return Delivery(accepted=sum(event.rows for event in events), events=len(events))

    @property
    def ids(self) -> Counter[int]:
        return Counter(record["trade_id"] for _, record in self.sent)


def plan_of(sources: Sequence[str], *, start: float = 0, length: float = 60, part: float = 20) -> Plan:
    begin = ZERO + timedelta(seconds=start)
    return Plan(
        window=Window("trades", begin, begin + timedelta(seconds=length)),
        slice_length=timedelta(seconds=part),
        lead=timedelta(seconds=4),
        grace=timedelta(seconds=4),
        past=False,
        rate=0.0,
        speed=1.0,
        sources=tuple(sources),
        fingerprint="",
        streams=(StreamPlan("trades", ("trades",), "trades/1", "pack", "identity", 2),),
    )


async def send_all(source: SliceSource, name: str, hub: SimulatedHub) -> Mapping[str, Any]:
    """Send what a source gives to a hub, batch by batch, and give its report as a ledger would."""
    async with aclosing(source.batches()) as batches:
        async for batch in batches:
            (records,) = batch.values()
            events, _ = as_events(records, Packing("pack"), contract="trades/1", slice_id=name, partitions=2)
            delivery = await hub.send(events)
            hub.accepted += delivery.accepted
    report: Mapping[str, Any] = json.loads(json.dumps(source.report()))
    return report


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing reported, by the names that tests use."""

    wire: Mapping[str, Any]

    @property
    def state(self) -> str:
        return self.wire["state"]

    @property
    def lost(self) -> list[LostInterval]:
        assert len(self.wire["lost"]) == self.wire["lost_count"]
        return [LostInterval(**one) for one in self.wire["lost"]]

    @property
    def added(self) -> dict[str, int]:
        return self.wire["added"]


@dataclass(slots=True)
class Stage:
    """One window of some venues, its slices and its closing; `delays` are seconds by which slices begin late."""

    venues: Sequence[SimulatedVenue]
    plan: Plan
    hub: SimulatedHub = field(default_factory=SimulatedHub)
    stop_at: datetime | None = None
    delays: Sequence[float] = ()

    async def run(self, number: int) -> SliceReport:
        part = self.plan.slices()[number]
        begin = (part.start - ZERO - self.plan.lead).total_seconds()
        await until(begin + (self.delays[number] if number < len(self.delays) else 0))
        source = slice_source(SliceAttempt(self.plan, part, 1), self.clients, self.clock)
        return SliceReport.from_wire(await send_all(source, part.attempt_id(1), self.hub))

    async def run_all(self) -> list[SliceReport]:
        return list(await asyncio.gather(*(self.run(one) for one in range(len(self.plan.slices())))))

    async def close(self, reports: Sequence[SliceReport], previous: SliceReport | None = None) -> Closed:
        window = self.plan.window if self.stop_at is None else replace(self.plan.window, end=self.stop_at)
        wires = [report.as_wire() for report in reports]
        before = previous.as_wire() if previous else None
        source = closing_source(CloseRequest(self.plan, window, wires, before), self.clients, self.clock)
        return Closed(await send_all(source, f"{window.id}/close.1", self.hub))

    @property
    def clients(self) -> dict[str, SimulatedVenue]:
        return {venue.name: venue for venue in self.venues}

    @property
    def clock(self) -> SliceClock:
        return SliceClock(
            clock, asyncio.sleep, lambda: self.stop_at if self.stop_at and clock() >= self.noticed else None
        )

    @property
    def noticed(self) -> datetime:
        """The stop is seen two seconds before it is due."""
        assert self.stop_at is not None
        return self.stop_at - timedelta(seconds=2)
