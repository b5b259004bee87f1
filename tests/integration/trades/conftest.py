"""A stage: a small websocket and REST server that plays one scene a connection."""

import asyncio
import json
from contextlib import aclosing

import pytest
from aiohttp import web

from shared.trades.connection.client import WebVenueClient
from shared.trades.connection.limiter import RequestLimiter
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.registry import Endpoints
from shared.trades.venues.venue import RequestLimit
from tests.following import events_of

ACK = json.dumps({"type": "subscriptions", "channels": [{"name": "matches", "product_ids": ["BTC-USD"]}]})


def match(number, kind="match", symbol="BTC-USD", **more):
    return json.dumps(
        {
            "type": kind,
            "trade_id": number,
            "side": "sell",
            "size": "0.10",
            "price": "100.50",
            "product_id": symbol,
            "time": "2026-11-22T10:00:00.000001Z",
        }
        | more
    )


class Stage:
    """Plays `scenes` in turn, the last one again and again; `answers` are (status, headers, body) in turn alike.

    `refusals` are the statuses of the first handshakes.
    """

    def __init__(self):
        self.scenes, self.answers, self.sockets, self.requests = [], [], [], []
        self.refusals, self.refusal_headers, self.peers, self.clients = [], {}, [], []
        self.opened, self.closed = asyncio.Queue(), asyncio.Queue()
        self.address = ""

    async def websocket(self, request):
        if self.refusals:
            return web.Response(status=self.refusals.pop(0), headers=self.refusal_headers)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        self.sockets.append(socket)
        self.opened.put_nowait(len(self.sockets))
        scene = self.scenes[min(len(self.sockets), len(self.scenes)) - 1]
        try:
            await socket.receive_str()
            await scene(socket)
        finally:
            self.closed.put_nowait(len(self.sockets))
        return socket

    async def rest(self, request):
        self.requests.append(request.path_qs)
        self.peers.append(request.transport.get_extra_info("peername"))
        status, headers, body = self.answers[min(len(self.requests), len(self.answers)) - 1]
        return web.Response(status=status, headers=headers, body=body)

    def client(self, venue=None, *, scheme="", ca_bundle=None, limit=None):
        venue = venue or Coinbase()
        if limit:
            venue = type("Limited", (type(venue),), {"connection_limit": limit})()
        client = WebVenueClient(
            venue,
            Endpoints(f"ws{scheme}://{self.address}/ws", f"http{scheme}://{self.address}"),
            ca_bundle=ca_bundle,
            clock=lambda: 1_700_000_000_000_000,
            jitter=lambda: 0.0,
            limiter=RequestLimiter(RequestLimit(100, 0.0)),
        )
        self.clients.append(client)
        return client


async def serve(stage, ssl_context=None):
    application = web.Application()
    application.router.add_get("/ws", stage.websocket)
    application.router.add_get("/{rest:.*}", stage.rest)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context).start()
    stage.address = f"localhost:{runner.addresses[0][1]}"
    return runner


@pytest.fixture
async def stage():
    stage = Stage()
    runner = await serve(stage)
    yield stage
    for client in stage.clients:
        await client.aclose()
    await runner.cleanup()


async def take(client, count, symbols=("BTC-USD",)):
    """Give the first `count` events of a follow, within five seconds."""
    events = []
    async with asyncio.timeout(5), aclosing(events_of(client, symbols)) as following:
        async for event in following:
            events.append(event)
            if len(events) == count:
                break
    return events


async def quiet(socket):
    """Say nothing more until the client closes."""
    async for _ in socket:
        pass
