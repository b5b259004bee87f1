"""One AMQP connection: proton without its I/O, driven by asyncio."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol, cast

from proton import (
    Collector,
    Condition,
    Connection,
    Delivery,
    Event,
    Link,
    ProtonException,
    Receiver,
    Session,
    Transport,
)

from emulators.event_hubs.errors import TOO_LARGE, Refusal
from emulators.event_hubs.framing import FramePadder

logger = logging.getLogger(__name__)
MAX_MESSAGE_SIZE = 1_048_576
_MAX_FRAME_SIZE = 65_536
_CREDIT = 300


class LinkHandler(Protocol):
    """What stands behind one attached link."""

    def transferred(self, delivery: Delivery, payload: bytes) -> None:
        """Take a whole message the client sent; raise `Refusal` to detach the link."""
        ...

    def pump(self) -> None:
        """Send what there is, as credit and the peer's `writable` allow; raise `Refusal` to detach the link."""
        ...

    def closed(self) -> None:
        """The link is gone; said once."""
        ...


type Attach = Callable[["Peer", Link], LinkHandler]
"""Finds the handler of a link the client opens, or raises `Refusal`."""


class Peer(asyncio.Protocol):
    """Server side of one connection. Every outside change is followed by `work` so that its frames leave."""

    def __init__(self, attach: Attach) -> None:
        self.session_state: dict[str, Any] = {}
        self.writable = True
        self._attach = attach
        self._handlers: dict[Link, LinkHandler] = {}
        self._padder = FramePadder()
        self._socket: asyncio.Transport | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._scheduled = False
        self._transport = Transport(Transport.SERVER)
        self._connection = Connection()
        self._collector = Collector()
        self._reactions: dict[Any, Callable[[Any], None]] = {
            Event.CONNECTION_REMOTE_OPEN: self._open_connection,
            Event.CONNECTION_REMOTE_CLOSE: lambda connection: connection.close(),
            Event.SESSION_REMOTE_OPEN: _open_session,
            Event.SESSION_REMOTE_CLOSE: self._close_session,
            Event.LINK_REMOTE_OPEN: self._open_link,
            Event.LINK_REMOTE_CLOSE: self._close_link,
            Event.LINK_REMOTE_DETACH: self._close_link,
            Event.LINK_FLOW: self.pump,
            Event.DELIVERY: self._receive,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the server side of SASL (ANONYMOUS: identity comes by $cbs) and AMQP."""
        self._socket = cast(asyncio.Transport, transport)
        self._transport.max_frame_size = _MAX_FRAME_SIZE
        sasl = self._transport.sasl()
        sasl.allowed_mechs("ANONYMOUS")
        sasl.done(sasl.OK)  # type: ignore[no-untyped-call]
        self._connection.collect(self._collector)
        self._transport.bind(self._connection)

    def data_received(self, data: bytes) -> None:
        """Feed proton; a connection it cannot read is closed."""
        try:
            self._feed(data)
        except ProtonException as error:
            logger.warning("hub.connection_failed error=%s", error)
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio calls it by this name)
        """Tell every link that it is gone."""
        if self._tick:
            self._tick.cancel()
        self._socket = None
        for link in tuple(self._handlers):
            self._forget(link)
        self._transport.unbind()

    def pause_writing(self) -> None:
        """Stop the consumers while the socket's buffer is full."""
        self.writable = False

    def resume_writing(self) -> None:
        """Let the consumers go on."""
        self.writable = True
        self.schedule()

    @property
    def connected(self) -> bool:
        """False once the connection is lost or dropped."""
        return self._socket is not None

    def abort(self) -> None:
        """Drop the connection at once, without a word."""
        if self._socket:
            self._socket.abort()
            self._socket = None

    def schedule(self) -> None:
        """Pump every link and send, soon, once however often it is asked for."""
        if self.connected and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._pump_all)

    def work(self) -> None:
        """React to what proton has seen and write what it wants to say."""
        while self.connected and (event := self._collector.peek()):
            reaction = self._reactions.get(event.type)
            if reaction:
                reaction(event.context)
            self._collector.pop()
        self._write()

    def pump(self, link: Link) -> None:
        """Let one link send what it has."""
        handler = self._handlers.get(link)
        if handler:
            self._guard(link, handler.pump)

    def refuse(self, link: Link, refusal: Refusal) -> None:
        """Detach a link with an error the client will see."""
        self._forget(link)
        link.condition = condition_of(refusal)
        link.close()

    def _feed(self, data: bytes) -> None:
        view = memoryview(data)
        while view and self.connected:
            room = self._transport.capacity()
            if room <= 0:
                self.abort()
                return
            self._transport.push(bytes(view[:room]))
            view = view[room:]
            self.work()

    def _pump_all(self) -> None:
        self._scheduled = False
        for link in tuple(self._handlers):
            self.pump(link)
        self.work()

    def _write(self) -> None:
        while self._socket and (pending := self._transport.pending()) > 0:
            self._socket.write(self._padder.feed(self._transport.peek(pending) or b""))
            self._transport.pop(pending)
        if self._socket and self._transport.pending() < 0:
            self._socket.close()
        self._plan_tick()

    def _plan_tick(self) -> None:
        """Wake up when proton must send a heartbeat, if the client asked for them."""
        if self._tick or not self.connected:
            return
        loop = asyncio.get_running_loop()
        deadline = self._transport.tick(loop.time())
        if deadline:
            self._tick = loop.call_at(deadline, self._on_tick)

    def _on_tick(self) -> None:
        self._tick = None
        self._transport.tick(asyncio.get_running_loop().time())
        self.work()

    def _open_connection(self, connection: Connection) -> None:
        connection.container = "local-event-hubs"
        connection.open()

    def _close_session(self, session: Session) -> None:
        for link in tuple(self._handlers):
            if link.session == session:
                self._forget(link)
        session.close()

    def _open_link(self, link: Link) -> None:
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.max_message_size = MAX_MESSAGE_SIZE
        try:
            handler = self._attach(self, link)
        except Refusal as refusal:
            logger.info("hub.link_refused %s", refusal)
            link.open()
            self.refuse(link, refusal)
            return
        self._handlers[link] = handler
        link.open()
        if link.is_receiver:
            cast(Receiver, link).flow(_CREDIT)
        self.schedule()

    def _close_link(self, link: Link) -> None:
        self._forget(link)
        link.close()

    def _forget(self, link: Link) -> None:
        handler = self._handlers.pop(link, None)
        if handler:
            handler.closed()

    def _receive(self, delivery: Delivery) -> None:
        link = delivery.link
        handler = self._handlers.get(link)
        if handler is None or not link.is_receiver or not delivery.readable or delivery.aborted:
            return
        if delivery.pending > MAX_MESSAGE_SIZE:
            text = f"The received message (delivery-id {delivery.tag!r}) exceeds the limit of {MAX_MESSAGE_SIZE} bytes."
            self.refuse(link, Refusal(TOO_LARGE, text))
        elif not delivery.partial:
            payload = bytes(cast(Receiver, link).recv(delivery.pending) or b"")
            cast(Receiver, link).flow(1)
            link.advance()
            self._guard(link, lambda: handler.transferred(delivery, payload))

    def _guard(self, link: Link, action: Callable[[], None]) -> None:
        try:
            action()
        except Refusal as refusal:
            logger.info("hub.link_detached %s", refusal)
            self.refuse(link, refusal)


def condition_of(refusal: Refusal) -> Condition:
    """Express a refusal as an AMQP error; pyamqp reads its third field, so the info map is never empty."""
    return Condition(refusal.condition, refusal.text, {"reference": "local"})


def _open_session(session: Session) -> None:
    session.incoming_capacity = 64 * MAX_MESSAGE_SIZE
    session.open()
