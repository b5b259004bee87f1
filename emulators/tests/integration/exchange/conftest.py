import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from emulators.clocks import epoch_microseconds
from emulators.exchange.config import ExchangeConfig
from emulators.exchange.server import running

COINBASE = {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["matches", "heartbeat"]}
SUBSCRIPTIONS = {
    "coinbase": ("/coinbase/ws", COINBASE),
    "binance": ("/binance/ws", {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}),
    "kraken": ("/kraken/v2", {"method": "subscribe", "params": {"channel": "trade", "symbol": ["BTC/USD"]}}),
    "bitstamp": ("/bitstamp/ws", {"event": "bts:subscribe", "data": {"channel": "live_trades_btcusd"}}),
}


class Listener:
    """A websocket client that reads JSON frames, each within five seconds."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def frame(self) -> dict[str, Any]:
        return json.loads(await self.text())

    async def text(self) -> str:
        async with asyncio.timeout(5):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return message.data

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(frame := await self.frame()):
            pass
        return frame

    async def matches(self, count: int) -> list[dict[str, Any]]:
        return [await self.until(lambda frame: frame["type"] == "match") for _ in range(count)]

    async def jump(self, match: dict[str, Any]) -> tuple[int, int]:
        """Read on after `match` until two ids in a row are not neighbours; give both."""
        previous, (match,) = match, await self.matches(1)
        while match["trade_id"] == previous["trade_id"] + 1:
            previous, (match,) = match, await self.matches(1)
        return previous["trade_id"], match["trade_id"]

    async def end(self) -> int | None:
        """Read on until the connection ends; give the close code, 1006 where there was none."""
        async with asyncio.timeout(8):
            async for _ in self.socket:
                pass
        return self.socket.close_code


class Exchange:
    """A running exchange and clients of it."""

    def __init__(self, addresses: dict[str, str], session: aiohttp.ClientSession, stack: AsyncExitStack) -> None:
        self.addresses, self._session, self._stack = addresses, session, stack

    async def connect(self, path: str) -> Listener:
        socket = await self._stack.enter_async_context(self._session.ws_connect(self.addresses["websocket"] + path))
        return Listener(socket)

    async def connect_without_pong(self, path: str) -> Listener:
        dialling = self._session.ws_connect(self.addresses["websocket"] + path, autoping=False)
        return Listener(await self._stack.enter_async_context(dialling))

    async def connections(self, venue: str) -> int:
        return (await self.admin("GET", "/health"))[1]["venues"][venue]["connections"]

    async def subscribe(self, venue: str = "coinbase", **changes: Any) -> Listener:
        path, message = SUBSCRIPTIONS[venue]
        listener = await self.connect(path)
        await listener.socket.send_json(message | changes)
        return listener

    async def page(self, path: str, **query: Any) -> tuple[int, Any, dict[str, str]]:
        async with self._session.get(self.addresses["rest"] + path, params=query) as answer:
            return answer.status, await answer.json(), dict(answer.headers)

    async def coinbase_ids(self, **query: Any) -> list[int]:
        _, rows, _ = await self.page("/coinbase/products/BTC-USD/trades", **query)
        return [row["trade_id"] for row in rows]

    async def admin(self, method: str, path: str, body: object = None, **query: Any) -> tuple[int, Any]:
        url = self.addresses["admin"] + path
        async with self._session.request(method, url, json=body, params=query) as answer:
            return answer.status, await answer.json()

    async def fault(self, kind: str, venue: str | None = "coinbase", **order: Any) -> None:
        status, body = await self.admin("POST", "/faults", {"kind": kind, "venue": venue} | order)
        assert status == 200, body


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def start_one(clock: Callable[[], int] = epoch_microseconds, **config: Any) -> Exchange:
            addresses = await stack.enter_async_context(running(ExchangeConfig(**config), clock))
            return Exchange(addresses, session, stack)

        yield start_one


@pytest.fixture
async def exchange(start: Callable[..., Any]) -> Exchange:
    return await start(rate=100, history_seconds=30)
