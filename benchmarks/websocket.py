"""Trades from a websocket into the hub: ours beside a plain client that decodes, encodes and sends one at a time.

The frame server and the hub run in processes of their own, so only the client's CPU is counted. Both sides read the
same frames and send the same twelve fields; ours keeps the digits of numbers, the peer's floats don't.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pyarrow as pa
import websockets
from azure.eventhub import EventData
from websockets.asyncio.client import ClientConnection

from benchmarks.interleaved import Row, Side, compare
from benchmarks.peers.frame_server import match
from benchmarks.sending import HUBS, Ends, running_hub
from shared.feeds.packing import Packing, as_events
from shared.trades.connection.client import WebVenueClient
from shared.trades.inbox import FLUSH_AT, Inbox
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.lines import as_records
from shared.trades.venues.readings import FeedEvent, Traded
from shared.trades.venues.registry import Endpoints

SYMBOLS = ["BTC-USD", "ETH-USD", "SOL-USD", "BTC-EUR"]
TICKERS = {f"coinbase:{symbol}": tuple(symbol.split("-")) for symbol in SYMBOLS}
HUB = "transactions"
CONTRACT, SLICE = "trades/1", "trades-20261122T100000Z/1.1"
PEER = "websockets + json.loads + json.dumps + one send each"


def rows() -> list[Row]:
    """Measure websocket to hub."""
    pa.set_cpu_count(1)
    with frame_server() as address, running_hub() as hub, Ends(hub) as ends:
        ours, peer = Ours(address, ends), Plain(address, ends)
        try:
            measured = compare("websocket → hub, normalised, packed", ours.side, {PEER: peer.side}, {PEER: 30.0})
        finally:
            ours.close()
            peer.close()
    return measured


class Ours:
    """The app's own path: market, lines, packing, sender."""

    def __init__(self, address: str, ends: Ends) -> None:
        client = WebVenueClient(
            Coinbase(),
            Endpoints(address, ""),
            ca_bundle=None,
            clock=lambda: time.time_ns() // 1000,
            jitter=lambda: 0.0,
        )
        self.ends = ends
        self.inbox = Inbox()
        self.following = ends.run(self.follow(client))

    async def follow(self, client: WebVenueClient) -> asyncio.Task[None]:
        return asyncio.create_task(client.follow(SYMBOLS, self))

    @property
    def is_full(self) -> bool:
        return self.inbox.is_full

    def take(self, event: FeedEvent) -> None:
        if isinstance(event, Traded):
            self.inbox.add(event.trades)

    async def room(self) -> None:
        await self.inbox.room()

    def side(self) -> tuple[int, int]:
        return self.ends.run(self.flush())

    async def flush(self) -> tuple[int, int]:
        await self.inbox.due()
        trades = self.inbox.take()
        events, _ = as_events(
            as_records(trades, TICKERS), Packing("pack"), contract=CONTRACT, slice_id=SLICE, partitions=HUBS[HUB]
        )
        delivery = await self.ends.senders[HUB].send(events)
        return delivery.accepted, sum(len(event.body) for event in events)

    def close(self) -> None:
        self.following.cancel()
        self.ends.run(asyncio.wait({self.following}))


class Plain:
    """What one writes first: one frame, one event, one send."""

    def __init__(self, address: str, ends: Ends) -> None:
        self.ends = ends
        self.socket = ends.run(self.connect(address))

    async def connect(self, address: str) -> ClientConnection:
        socket = await websockets.connect(address, ping_interval=None, close_timeout=0)
        await socket.send(json.dumps({"type": "subscribe", "product_ids": SYMBOLS, "channels": ["matches"]}))
        return socket

    def side(self) -> tuple[int, int]:
        return self.ends.run(self.ten())

    async def ten(self) -> tuple[int, int]:
        size = 0
        for _ in range(10):
            body = json.dumps(normalised(json.loads(await self.socket.recv())))
            data = EventData(body)
            data.properties = {"contract": CONTRACT, "slice": SLICE}
            await self.ends.producer.send_event(data)
            size += len(body)
        return 10, size

    def close(self) -> None:
        self.ends.run(self.socket.close())


def normalised(frame: dict[str, str]) -> dict[str, object]:
    """Turn a match into the fields of `trades/1`."""
    base, quote = frame["product_id"].split("-")
    return {
        "venue": "coinbase",
        "symbol": frame["product_id"],
        "base": base,
        "quote": quote,
        "trade_id": frame["trade_id"],
        "price": float(frame["price"]),
        "volume": float(frame["size"]),
        "direction": "sell" if frame["side"] == "buy" else "buy",
        "direction_basis": "maker_inverted",
        "timestamp": frame["time"],
        "received_at": datetime.now(UTC).isoformat(),
        "origin": "live",
    }


def steps() -> Iterator[tuple[str, Side]]:
    """Give the steps of our side that need neither socket nor hub."""
    frames, venue = [match(number) for number in range(1, FLUSH_AT + 1)], Coinbase()
    trades = [trade for frame in frames for trade in venue.read(frame, 1_795_341_600_000_000).trades]
    records = as_records(trades, TICKERS)

    def packed() -> tuple[int, int]:
        events, _ = as_events(records, Packing("pack"), contract=CONTRACT, slice_id=SLICE, partitions=4)
        return FLUSH_AT, sum(len(event.body) for event in events)

    yield "adapter: frame → Trade", lambda: (len([venue.read(frame, 1_795_341_600_000_000) for frame in frames]), 0)
    yield "lines: Trade → record", lambda: (len(as_records(trades, TICKERS)), 0)
    yield "packing: record → event", packed


def show_steps() -> None:
    """Print the microseconds of CPU that each step costs a trade, the best of 15 rounds."""
    for name, step in steps():
        best = min(_microseconds(step) for _ in range(15))
        print(f"{name}: {best:.2f} µs a trade")


def _microseconds(step: Side) -> float:
    start = time.process_time()
    made, _ = step()
    return (time.process_time() - start) / made * 1e6


@contextmanager
def frame_server() -> Iterator[str]:
    """Run the frame server in its own process; give its address."""
    command = [sys.executable, "-m", "benchmarks.peers.frame_server"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    show_steps()
    for row in rows():
        print(
            row.name, "|", row.beside, f"| {row.ratio:.3g} of {row.bar}", "| met" if row.met else "| NOT MET", row.note
        )
