"""Closing a window that lost its hub for 45 minutes: 135,000 trades in two markets, from pages that take 0.1 s each.

The venue answers in Coinbase's own format, which is read as the app reads it; the records are packed, and counted
instead of sent.
"""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import msgspec

from benchmarks.interleaved import Row
from shared.domain.windows.plan import Plan, StreamPlan
from shared.domain.windows.window import Window, microseconds
from shared.feeds.packing import Packing, as_events
from shared.feeds.records import Records
from shared.feeds.slicing import CloseRequest, SliceClock
from shared.trades.connection.connection import Listener
from shared.trades.source import closing_source
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.venue import HistoryPage, HistoryRequest, Symbols

MARKETS = ("coinbase:BTC-USD", "coinbase:ETH-USD")
AWAY, EACH = timedelta(minutes=45), timedelta(milliseconds=40)
AROUND = timedelta(minutes=1)
PAGE_SECONDS, PAGE = 0.1, 1_000
EXPECTED = len(MARKETS) * (AWAY // EACH)
START = datetime(2026, 11, 22, 10, tzinfo=UTC)
NOW = START + AWAY + AROUND
VENUE = Coinbase()


def rows() -> list[Row]:
    """Close the window once."""
    history, outbox = SlowHistory(), Outbox()
    begun = perf_counter()
    report = asyncio.run(_closed(history, outbox))
    seconds = perf_counter() - begun
    note = f"{history.asked} pages, {report['state']}"
    what = f"closing a window that lost its hub for 45 min, {EXPECTED:,} trades"
    return [
        Row(f"{what}, not recovered", "-", EXPECTED - len(outbox.keys), 0.0, True, note),
        Row(f"{what}, sent twice", "-", outbox.rows - len(outbox.keys), 0.0, True),
        Row(
            f"{what}, s for each second of pages",
            "-",
            seconds / (history.asked * PAGE_SECONDS),
            None,
            True,
            f"{seconds:.1f} s",
        ),
    ]


@dataclass
class SlowHistory:
    """A `VenueClient` whose two markets trade each 40 ms, ids from 1, and whose pages take 0.1 s."""

    asked: int = 0

    async def follow(self, symbols: object, listener: Listener) -> None:
        """Never tell anything."""
        del symbols, listener
        await asyncio.Event().wait()

    async def page(self, symbol: str, request: HistoryRequest | None = None) -> HistoryPage:
        """Give the page that the request names."""
        wanted = request or VENUE.newest(symbol)
        self.asked += 1
        last = min(int(wanted.query.get("after", 1 << 60)) - 1, (AWAY + 2 * AROUND) // EACH)
        body = msgspec.json.encode([_row(n) for n in range(last, max(last - PAGE, 0), -1)])
        await asyncio.sleep(PAGE_SECONDS)
        return await asyncio.to_thread(VENUE.read_history, wanted, body, symbol, microseconds(NOW))

    async def symbols(self) -> Symbols:
        """Give none: closing does not ask."""
        return {}

    async def aclose(self) -> None:
        """Close nothing."""


@dataclass
class Outbox:
    """Packs what it is given, and keeps the key of each record."""

    rows: int = 0
    keys: set[tuple[Any, Any]] = field(default_factory=set)

    def take(self, records: Records) -> None:
        """Pack a batch."""
        events, _ = as_events(records, Packing("pack"), contract="trades/1", slice_id="x/close.1", partitions=4)
        lines = [msgspec.json.decode(line) for event in events for line in event.body.splitlines()]
        self.rows += len(lines)
        self.keys |= {(line["symbol"], line["trade_id"]) for line in lines}


async def _closed(history: SlowHistory, outbox: Outbox) -> Mapping[str, Any]:
    plan = _plan()
    clock = SliceClock(lambda: datetime.now(UTC), asyncio.sleep, lambda: None)
    source = closing_source(CloseRequest(plan, plan.window, [], None), {VENUE.name: history}, clock)
    async with aclosing(source.batches()) as batches:
        async for batch in batches:
            for records in batch.values():
                outbox.take(records)
    return source.report()


def _plan() -> Plan:
    return Plan(
        window=Window("trades", START, START + AWAY),
        slice_length=timedelta(minutes=5),
        lead=timedelta(seconds=20),
        grace=timedelta(seconds=10),
        past=False,
        rate=0.0,
        speed=1.0,
        sources=MARKETS,
        fingerprint="",
        streams=(StreamPlan("trades", ("trades",), "trades/1", "pack", "identity", 4),),
    )


def _row(trade_id: int) -> dict[str, object]:
    moment = START - AROUND + trade_id * EACH
    time = f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"
    return {"trade_id": trade_id, "side": "sell", "size": "0.10", "price": "67250.10", "time": time}
