"""AMQP over WebSockets: a connection's bytes travel in binary messages, each way, cut where it pleases the sender."""

import asyncio
import logging
from collections import deque

from aiohttp import WSCloseCode, WSMsgType, web

from emulators.event_hubs.engine import Hub, Peer

logger = logging.getLogger(__name__)
PATH = "/$servicebus/websocket"
SUBPROTOCOLS = ("AMQPWSB10", "amqp")
"""The first is asked for by Microsoft's clients in Python, JavaScript and Java; the second, the standard's, by C#'s."""
_HIGH_WATER, _LOW_WATER = 64 * 1024, 16 * 1024
"""The bounds of asyncio's own sockets, in bytes."""


def websocket_application(hub: Hub) -> web.Application:
    """Serve AMQP at `PATH`, with or without a slash at its end."""
    endpoint = _Endpoint(hub)
    application = web.Application()
    application.add_routes([web.get(PATH, endpoint.serve), web.get(f"{PATH}/", endpoint.serve)])
    application.on_shutdown.append(endpoint.drop_all)
    return application


class MessageTransport(asyncio.Transport):
    """What a `Peer` takes for its socket: what it writes leaves as WebSocket messages.

    `raw` is the TCP connection below, which an abort drops.
    """

    def __init__(self, socket: web.WebSocketResponse, raw: asyncio.Transport, peer: Peer) -> None:
        super().__init__()
        self._socket = socket
        self._raw = raw
        self._peer = peer
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._closing = False
        self._changed = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send soon; the peer is told to pause while too much waits."""
        self._waiting.append(bytes(data))
        self._size += len(data)
        self._changed.set()
        if self._size > _HIGH_WATER and not self._paused:
            self._paused = True
            self._peer.pause_writing()

    def close(self) -> None:
        """Close once everything is sent."""
        self._closing = True
        self._changed.set()

    def is_closing(self) -> bool:
        """Say whether nothing more may be written."""
        return self._closing

    def abort(self) -> None:
        """Drop the connection at once, without a word."""
        self._closing = True
        self._raw.abort()

    async def send_all(self) -> None:
        """Send what is written until the connection is closed; ends early where it is lost."""
        try:
            await self._send_until_closed()
        except ConnectionError as error:
            logger.info("hub.websocket_lost error=%s", error)

    async def _send_until_closed(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting:
                self._changed.clear()
                await self._changed.wait()
                continue
            data = self._waiting.popleft()
            await self._socket.send_bytes(data)
            self._size -= len(data)
            self._resume()
        await self._socket.close()

    def _resume(self) -> None:
        if self._paused and self._size <= _LOW_WATER:
            self._paused = False
            self._peer.resume_writing()


class _Endpoint:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._open: set[MessageTransport] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=SUBPROTOCOLS, compress=False)
        if not socket.can_prepare(request).protocol:
            text = f"{PATH} takes WebSockets with one of the subprotocols {', '.join(SUBPROTOCOLS)} only."
            return web.Response(status=400, text=text)
        await socket.prepare(request)
        if request.transport is not None:
            await self._converse(socket, request.transport)
        return socket

    async def drop_all(self, _: web.Application) -> None:
        for transport in tuple(self._open):
            transport.abort()

    async def _converse(self, socket: web.WebSocketResponse, raw: asyncio.Transport) -> None:
        peer = Peer(self._hub)
        transport = MessageTransport(socket, raw, peer)
        self._open.add(transport)
        peer.connection_made(transport)
        sending = asyncio.get_running_loop().create_task(transport.send_all())
        try:
            await _receive(socket, peer)
        finally:
            self._open.discard(transport)
            sending.cancel()
            peer.connection_lost(None)


async def _receive(socket: web.WebSocketResponse, peer: Peer) -> None:
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            await socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"AMQP travels in binary messages.")
            return
        peer.data_received(message.data)
