"""One AMQP connection: proton without its I/O, driven by asyncio."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol, cast

from proton import (
    Collector,
    Connection,
    Delivery,
    Event,
    Link,
    ProtonException,
    Receiver,
    Session,
    Transport,
)

from emulators.event_hubs.capabilities import AttachReader
from emulators.event_hubs.errors import NOT_IMPLEMENTED, TOO_LARGE, Refusal
from emulators.event_hubs.framing import FramePadder
from emulators.event_hubs.outcomes import condition_of, copy_ends, reject
from emulators.event_hubs.sasl import SaslFailed, SaslServer

logger = logging.getLogger(__name__)
MAX_MESSAGE_SIZE = 1_048_576
_MAX_FRAME_SIZE = 65_536
_CREDIT = 300
_IDEMPOTENT = "com.microsoft:idempotent-producer"
_TOO_LARGE = "The received message (size:{} bytes) exceeds the limit ({} bytes) currently allowed on the link."


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


class Hub(Protocol):
    """What all connections lead to."""

    def attach(self, peer: "Peer", link: Link) -> LinkHandler:
        """Find the handler of a link the client opens, or raise `Refusal`."""
        ...

    def log_in(self, peer: "Peer", policy: str, key: str) -> bool:
        """Say whether a shared access policy and its key (SASL PLAIN) let this connection in."""
        ...


class Peer(asyncio.Protocol):
    """Server side of one connection. Every outside change is followed by `work` so that its frames leave."""

    def __init__(self, hub: Hub) -> None:
        self.session_state: dict[str, Any] = {}
        self.writable = True
        self._attach = hub.attach
        self._sasl = SaslServer(lambda policy, key: hub.log_in(self, policy, key))
        self._handlers: dict[Link, LinkHandler] = {}
        self._discarded: dict[Link, int] = {}
        self._padder = FramePadder()
        self._attaches = AttachReader()
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
        """Begin the server's side of AMQP, which starts after SASL."""
        self._socket = cast(asyncio.Transport, transport)
        self._transport.max_frame_size = _MAX_FRAME_SIZE
        self._connection.collect(self._collector)
        self._transport.bind(self._connection)

    def data_received(self, data: bytes) -> None:
        """Answer SASL, then feed proton; a connection that neither can read is closed."""
        try:
            self._feed(data if self._sasl.finished else self._negotiate(data))
        except (ProtonException, SaslFailed) as error:
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

    @property
    def hostname(self) -> str:
        """The namespace that the client opened the connection to, as it said itself."""
        return self._connection.remote_hostname or ""

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

    def _negotiate(self, data: bytes) -> bytes:
        answer, rest = self._sasl.feed(data)
        if self._socket and answer:
            self._socket.write(answer)
        if self._socket and self._sasl.refused:
            logger.info("hub.login_refused mechanism=PLAIN")
            self._socket.close()
            self._socket = None
        return rest

    def _feed(self, data: bytes) -> None:
        self._attaches.feed(data)
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
        link.max_message_size = MAX_MESSAGE_SIZE
        try:
            _check_desired(self._attaches.desired(link.name, by_receiver=link.is_sender))
            handler = self._attach(self, link)
        except Refusal as refusal:
            logger.info("hub.link_refused %s", refusal)
            copy_ends(link, refused=True)
            link.open()
            self.refuse(link, refusal)
            return
        copy_ends(link, refused=False)
        self._handlers[link] = handler
        link.open()
        if link.is_receiver:
            cast(Receiver, link).flow(_CREDIT)
        self.schedule()

    def _close_link(self, link: Link) -> None:
        self._forget(link)
        link.close()

    def _forget(self, link: Link) -> None:
        self._discarded.pop(link, None)
        handler = self._handlers.pop(link, None)
        if handler:
            handler.closed()

    def _receive(self, delivery: Delivery) -> None:
        link = delivery.link
        handler = self._handlers.get(link)
        if handler is None or not link.is_receiver or not delivery.readable or delivery.aborted:
            return
        if delivery.pending + self._discarded.get(link, 0) > MAX_MESSAGE_SIZE:
            self._discard(link, delivery)
        elif not delivery.partial:
            payload = bytes(cast(Receiver, link).recv(delivery.pending) or b"")
            cast(Receiver, link).flow(1)
            link.advance()
            self._guard(link, lambda: handler.transferred(delivery, payload))

    def _discard(self, link: Link, delivery: Delivery) -> None:
        """Keep nothing of a message over the limit, and reject it at its end.

        The link stays: JavaScript's client would wait in vain for what it sends while a detach is on its way.
        """
        size = self._discarded[link] = self._discarded.get(link, 0) + delivery.pending
        cast(Receiver, link).recv(delivery.pending)
        if delivery.partial:
            return
        del self._discarded[link]
        cast(Receiver, link).flow(1)
        link.advance()
        reject(delivery, Refusal(TOO_LARGE, _TOO_LARGE.format(size, MAX_MESSAGE_SIZE)))

    def _guard(self, link: Link, action: Callable[[], None]) -> None:
        try:
            action()
        except Refusal as refusal:
            logger.info("hub.link_detached %s", refusal)
            self.refuse(link, refusal)


def _open_session(session: Session) -> None:
    session.incoming_capacity = 64 * MAX_MESSAGE_SIZE
    session.open()


def _check_desired(capabilities: frozenset[str]) -> None:
    if _IDEMPOTENT in capabilities:
        text = f"This hub doesn't find out repeated events: publish without the capability '{_IDEMPOTENT}'."
        raise Refusal(NOT_IMPLEMENTED, text)
