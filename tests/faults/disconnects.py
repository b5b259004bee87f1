"""Slices of all four venues in real time, whose connections break in every way, and what the client truly heard."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd  # noqa: F401 - pyarrow would import it in the middle of a slice, which holds up a busy machine

from shared.domain.windows.plan import Plan, SliceAttempt, StreamPlan
from shared.domain.windows.window import Window
from shared.feeds.slicing import CloseRequest, SliceClock
from shared.trades.completeness.seams import LostInterval
from shared.trades.source import closing_source, slice_source
from shared.trades.venues.readings import Connected, Interrupted, Traded
from shared.trades.venues.registry import venue
from tests.integration.trades.exchange import SYMBOLS, Exchange
from tests.unit.shared.trades.simulated_venue import SimulatedHub, send_all

LEAD = GRACE = timedelta(seconds=2)
MARKETS = {name: symbols[0] for name, symbols in SYMBOLS.items()}
CONTIGUOUS = [name for name in MARKETS if venue(name).contiguous]
BREAKS: Sequence[Mapping[str, Any]] = (
    {"kind": "disconnect"},
    {"kind": "disconnect", "code": 1012},
    {"kind": "disconnect", "code": 1001},
    {"kind": "outage", "seconds": 0.4, "rest": True},
)
"""Each ends the connection: without a close frame, with a restarting or a leaving server's, and for a while."""

NOISE: Sequence[Mapping[str, Any]] = ({"kind": "malformed"}, {"kind": "unknown"})


@dataclass
class Hearing:
    """A venue's client whose listener notes the ids that came by websocket, and how long it was not connected.

    reconnects: the seconds of each time without a connection that ended in one.
    """

    client: Any
    heard: set[int] = field(default_factory=set)
    reconnects: list[float] = field(default_factory=list)
    attempts: list[float] = field(default_factory=list)
    down_since: float | None = None
    connected: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, symbols: Sequence[str], listener: Any) -> None:
        self.listener = listener
        await self.client.follow(symbols, self)

    @property
    def is_full(self) -> bool:
        return self.listener.is_full

    async def room(self) -> None:
        await self.listener.room()

    def take(self, event: object) -> None:
        now = time.monotonic()
        if isinstance(event, Traded):
            self.heard |= {trade.trade_id for trade in event.trades}
        elif isinstance(event, Interrupted):
            self.attempts.append(now)
            self.down_since = self.down_since or now
            self.connected.clear()
        elif isinstance(event, Connected):
            self.reconnects += [now - self.down_since] if self.down_since else []
            self.down_since = None
            self.connected.set()
        self.listener.take(event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


@dataclass
class Round:
    """One slice that begins in two seconds, its faults, and its closing."""

    exchange: Exchange
    seed: int
    length: timedelta
    breaks: int
    jitter: Callable[[], float] = lambda: 0.1

    async def live(self) -> None:
        self.rolled = random.Random(self.seed)
        start = datetime.now(UTC).replace(microsecond=0) + LEAD + timedelta(seconds=2)
        self.plan = _plan(Window("trades", start, start + self.length))
        (part,) = self.plan.slices()
        self.clients = {name: Hearing(self.exchange.client(name, jitter=self.jitter)) for name in MARKETS}
        self.hub = SimulatedHub()
        ingesting = asyncio.create_task(
            send_all(slice_source(SliceAttempt(self.plan, part, 1), self.clients, _CLOCK), part.attempt_id(1), self.hub)
        )
        await asyncio.gather(*(self._break(name) for name in MARKETS))
        self.report = await ingesting
        again = {name: self.exchange.client(name) for name in MARKETS}
        request = CloseRequest(self.plan, self.plan.window, [self.report], None)
        self.closed = await send_all(closing_source(request, again, _CLOCK), f"{part.window_id}/close.1", self.hub)
        self.truth = {
            name: await self.exchange.truth(name, symbol, part.start, part.end) for name, symbol in MARKETS.items()
        }

    async def _break(self, name: str) -> None:
        """Break a venue's connection, each time once there is one, within the slice, with noise and holes between."""
        (part,), client = self.plan.slices(), self.clients[name]
        await asyncio.sleep((part.start - datetime.now(UTC)).total_seconds() + 0.3)
        pause = (self.length.total_seconds() - 1) / self.breaks
        for _ in range(self.breaks):
            await client.connected.wait()
            await self.exchange.fault(venue=name, **self.rolled.choice(NOISE))
            hole = {"kind": "hole", "venue": name, "symbol": MARKETS[name], "count": self.rolled.randint(1, 4)}
            await self.exchange.fault(**hole, rest=self.rolled.random() < 0.5)
            await asyncio.sleep(pause * self.rolled.uniform(0.3, 0.5))
            await self.exchange.fault(venue=name, **self.rolled.choice(BREAKS))
            await asyncio.sleep(pause / 2)

    def unheard(self, name: str) -> set[int]:
        """Give the true ids that the websocket did not bring."""
        return self.truth[name].keys() - self.clients[name].heard

    def gone(self, name: str) -> set[tuple[int, int]]:
        """Give the ranges of true ids that neither the websocket nor the history has."""
        return _ranges(number for number, is_lost in self.truth[name].items() if is_lost)

    def told(self, name: str) -> set[tuple[int, int]]:
        """Give the ranges of ids that the window's closing tells to be lost."""
        assert self.closed["lost_count"] == len(self.closed["lost"])
        lost = [LostInterval(**one) for one in self.closed["lost"]]
        own = [one for one in lost if one.market == f"{name}:{MARKETS[name]}"]
        return _ranges({number for one in own for number in range(one.first, one.last + 1)})

    def sent(self, name: str) -> list[int]:
        return [one["trade_id"] for _, one in self.hub.sent if one["venue"] == name]


def _plan(window: Window) -> Plan:
    return Plan(
        window, window.end - window.start, LEAD, GRACE, past=False, rate=0.0, speed=1.0,
        sources=tuple(f"{name}:{symbol}" for name, symbol in MARKETS.items()), fingerprint="",
        streams=(StreamPlan("trades", ("trades",), "trades/1", "pack", "identity", 2),),
    )  # fmt: skip


def _ranges(ids: Iterable[int]) -> set[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for one in sorted(ids):
        if found and found[-1][1] == one - 1:
            found[-1] = (found[-1][0], one)
        else:
            found.append((one, one))
    return set(found)


_CLOCK = SliceClock(lambda: datetime.now(UTC), asyncio.sleep, lambda: None)
