"""One websocket: reads what the client says, writes what the feed posts, and knows when it must end."""

import asyncio
from collections.abc import Callable, Iterable

from aiohttp import ClientConnectionResetError, WSCloseCode, WSMsgType, web

from emulators.exchange.faults import Faults
from emulators.exchange.feed import Feed
from emulators.exchange.instants import SECOND
from emulators.exchange.market import Trade
from emulators.exchange.venue import Dialogue, subscribes

_MOST_WAITING = 200_000


class Connection:
    """A client of one feed, from its handshake to its end. `clock` gives the true moment in microseconds."""

    def __init__(self, feed: Feed, dialogue: Dialogue, faults: Faults, clock: Callable[[], int]) -> None:
        """Prepare a connection that begins now."""
        self.dialogue = dialogue
        self._feed, self._faults, self._clock = feed, faults, clock
        self._socket = web.WebSocketResponse(autoping=False, compress=False, timeout=1.0)
        self._waiting: asyncio.Queue[tuple[WSMsgType, bytes] | int] = asyncio.Queue(_MOST_WAITING)
        self._request: web.Request | None = None
        self._begun = clock()
        self._pinged: int | None = None
        self._next_ping = self._begun + _microseconds(feed.venue.ping_every)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with the client until one side ends it."""
        self._request = request
        await self._socket.prepare(request)
        self.post(self.dialogue.greet(self._venue_time()))
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return self._socket

    def send_trades(self, trades: list[Trade]) -> None:
        """Post those of the trades that the client has subscribed to."""
        self.post(self.dialogue.trade_frames(trades, self._venue_time()))

    def beat(self) -> None:
        """Post what is due once a second."""
        self.post(self.dialogue.beat(self._venue_time()))

    def post(self, frames: Iterable[bytes], kind: WSMsgType = WSMsgType.TEXT) -> None:
        """Queue frames, unless the venue is silent; a client that is far behind is dropped, as venues do."""
        if self._faults.is_silent(self._feed.venue.name):
            return
        try:
            for frame in frames:
                self._waiting.put_nowait((kind, frame))
        except asyncio.QueueFull:
            self.drop()

    def close(self, code: int) -> None:
        """End the connection with a close frame, after what is queued."""
        self._waiting.put_nowait(code)

    def drop(self) -> None:
        """End the connection without a close frame."""
        if self._request is not None and self._request.transport is not None:
            self._request.transport.abort()

    def review(self) -> None:
        """Ping where due; close a connection that is too old, has not subscribed in time or does not answer."""
        now, venue = self._clock(), self._feed.venue
        limit = self._faults.connection_limit(venue.name)
        age = now - self._begun
        if limit is not None and age > limit:
            self.close(WSCloseCode.GOING_AWAY)
        elif venue.subscribe_within and not self.dialogue.subscribed and age > _microseconds(venue.subscribe_within):
            self.close(WSCloseCode.POLICY_VIOLATION)
        elif self._pinged is not None and now - self._pinged > _microseconds(venue.pong_within):
            self.drop()
        elif venue.ping_every and now >= self._next_ping:
            self._ping(now)

    def _ping(self, now: int) -> None:
        self._next_ping = now + _microseconds(self._feed.venue.ping_every)
        self._pinged = self._pinged or now
        self.post([str(self._venue_time() // 1_000).encode()], WSMsgType.PING)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                self.post(self._answer(message.data))
            elif message.type is WSMsgType.PONG:
                self._pinged = None
            elif message.type is WSMsgType.PING:
                self.post([message.data], WSMsgType.PONG)

    def _answer(self, text: str) -> list[bytes]:
        venue = self._feed.venue
        if subscribes(text) and (refusal := self._faults.subscription_refusal(venue.name)):
            return [venue.error_frame(refusal.words)]
        return self.dialogue.receive(text, self._venue_time())

    async def _write(self) -> None:
        try:
            while not isinstance(entry := await self._waiting.get(), int):
                kind, frame = entry
                await self._socket.send_frame(frame, kind)
            await self._socket.close(code=entry)
        except ClientConnectionResetError:
            self.drop()

    def _venue_time(self) -> int:
        return self._feed.clock(self._clock())


def _microseconds(seconds: float | None) -> int:
    return round((seconds or 0) * SECOND)
