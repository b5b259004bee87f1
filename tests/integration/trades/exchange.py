"""The local exchange in a process of its own, and the app's clients of its venues."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from emulators.testing import running_service
from emulators.tls import make_tls_files
from shared.trades.connection.client import WebVenueClient
from shared.trades.connection.limiter import RequestLimiter
from shared.trades.venues.registry import Endpoints, venue

SYMBOLS = {
    "coinbase": ("BTC-USD", "ETH-USD"),
    "binance": ("BTCUSDT", "ETHUSDT"),
    "kraken": ("BTC/USD", "ETH/USD"),
    "bitstamp": ("btcusd", "ethusd"),
}
SOCKETS = {"coinbase": "/ws", "binance": "/ws", "kraken": "/v2", "bitstamp": "/ws"}


class Exchange:
    """The running stand-in: a market for each venue, and its faults."""

    def __init__(self, addresses, authority):
        self.addresses, self.authority = addresses, authority
        self.clients, self.limiters = [], {}

    def client(self, name, limit=None, jitter=lambda: 0.0):
        endpoints = Endpoints(
            f"{self.addresses['websocket']}/{name}{SOCKETS[name]}", f"{self.addresses['rest']}/{name}"
        )
        adapter = venue(name)
        if limit:
            adapter = type("Limited", (type(adapter),), {"connection_limit": limit})()
        client = WebVenueClient(
            adapter,
            endpoints,
            ca_bundle=self.authority,
            clock=lambda: time.time_ns() // 1000,
            jitter=jitter,
            limiter=self.limiters.setdefault(name, RequestLimiter(adapter.request_limit)),
        )
        self.clients.append(client)
        return client

    async def fault(self, **order):
        body = json.dumps(order).encode()
        request = Request(f"{self.addresses['admin']}/faults", body, method="POST")
        await asyncio.to_thread(lambda: urlopen(request, timeout=5).close())

    async def truth(self, name, symbol, start, end):
        """Give the ids of what truly happened in `[start, end)`, and whether the venue's history lacks them."""
        query = urlencode({"venue": name, "symbol": symbol, "from": start.isoformat(), "to": end.isoformat()})
        url = f"{self.addresses['admin']}/trades?{query}"
        answer = await asyncio.to_thread(lambda: urlopen(url, timeout=5).read())
        return {trade["trade_id"]: trade["lost"] for trade in json.loads(answer)["trades"]}

    async def clear(self):
        request = Request(f"{self.addresses['admin']}/faults", method="DELETE")
        await asyncio.to_thread(lambda: urlopen(request, timeout=5).close())


@contextlib.contextmanager
def running_exchange(folder: Path, *, rate: int) -> Iterator[Exchange]:
    """Run it for the length of a block, with so many trades a second in each market, and a minute of history."""
    tls = make_tls_files(folder)
    ports, market = ("--port", 0, "--admin-port", 0), ("--rate", rate, "--history-seconds", 60)
    with running_service("exchange", *ports, *market, "--certificate", tls.server) as addresses:
        yield Exchange(addresses, tls.authority)
