"""The connections of one `follow` taken together: reconnecting, replacing one before its end, what was interrupted."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from shared.clients.retrying import Backoff
from shared.domain.failures import FailureKind
from shared.trades.connection.connection import LIMIT_NEAR, Ended, Listener, Subscribed, Subscription, VenueConnection
from shared.trades.connection.transport import Transport
from shared.trades.venues.readings import (
    Connected,
    Heartbeat,
    Interrupted,
    Leaving,
    Listening,
    MarketRefused,
    Reading,
    Refused,
    Snapshot,
    Unreadable,
)

Jitter = Callable[[], float]

_BACKOFF: Final = Backoff(base=0.5)
_THROTTLED: Final = Backoff(base=4.0)
_STEADY: Final = 60.0
_OVERLAP: Final = 1.0


def wait_before_retry(failures: int, draw: float, asked: float = 0.0, *, throttled: bool = False) -> float:
    """Give the seconds to wait after that many failures, never less than the venue asks for."""
    backoff = _THROTTLED if throttled else _BACKOFF
    return max(backoff.wait(failures, draw), asked)


class Session:
    """The active connection of one `follow`, and the one that is to replace it."""

    def __init__(self, subscription: Subscription, transport: Transport, listener: Listener, jitter: Jitter) -> None:
        """Begin with no connection; belongs to the running event loop. `jitter` draws from `[0, 1)`."""
        self._subscription = subscription
        self._transport = transport
        self._listener = listener
        self._jitter = jitter
        self._connections: set[VenueConnection] = set()
        self._active: VenueConnection | None = None
        self._next: VenueConnection | None = None
        self._subscribed = self._failures = 0
        self._failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def run(self) -> NoReturn:
        """Tell the listener what happens until cancelled; raises only what is a fault of ours. All is closed then."""
        try:
            self._connect(0.0)
            raise await self._failure
        finally:
            await self._close()

    def _on_event(self, connection: VenueConnection, event: Reading | Subscribed | Ended) -> None:
        match event:
            case Subscribed():
                self._on_subscribed(connection, event)
            case Ended():
                self._on_closed(connection, event)
            case Leaving(reason):
                self._replace(connection, reason)
            case Refused(message, FailureKind.PERMANENT, symbols):
                self._on_refused(connection, message, symbols)
            case Refused():
                self._on_transient_refusal(connection, event)
            case Snapshot() | Heartbeat() | Unreadable():
                self._listener.take(event)

    def _on_subscribed(self, connection: VenueConnection, event: Subscribed) -> None:
        """Take over from a connection that stands only with all that is to be expected."""
        if connection is self._active:
            for symbol in event.symbols:
                self._listener.take(Listening(symbol))
        elif connection is self._next and (self._active is None or event.complete):
            self._activate(connection)

    def _activate(self, connection: VenueConnection) -> None:
        if self._active:
            self._active.retire(_OVERLAP)
        self._active, self._next = connection, None
        self._subscribed += 1
        is_whole = set(connection.subscribed) >= set(self._subscription.symbols)
        self._listener.take(Connected(self._subscribed, None if is_whole else connection.subscribed))

    def _on_refused(self, connection: VenueConnection, message: str, symbols: Sequence[str]) -> None:
        """Go on without the symbols that the venue will not serve: those it named, or else all."""
        spoken = {*symbols, *re.split(r"[\s,;:'\"]+", message)}
        refused = [one for one in self._subscription.symbols if one in spoken] or list(self._subscription.symbols)
        left = tuple(one for one in self._subscription.symbols if one not in refused)
        self._subscription = replace(self._subscription, symbols=left)
        connection.expect_no_more_of(refused)
        for symbol in refused:
            self._listener.take(MarketRefused(symbol, f"{self._subscription.venue.name} refused {symbol}: {message}"))
        if not left:
            self._end_all()
        elif connection is self._next:
            connection.retire(0.0)
            self._connect(0.0)

    def _end_all(self) -> None:
        self._active = self._next = None
        for connection in self._connections:
            connection.retire(0.0)

    def _on_transient_refusal(self, connection: VenueConnection, refused: Refused) -> None:
        """Connect again after a wait; a connection that stands is left only then."""
        throttled = refused.kind is FailureKind.THROTTLED
        if connection is self._active and self._next is None:
            self._connect(self._next_wait(throttled=throttled))
        elif connection is self._next:
            reason = f"{self._subscription.venue.name} answered {refused.message}"
            self._on_closed(connection, Ended(reason, throttled=throttled))
            connection.retire(0.0)

    def _on_closed(self, connection: VenueConnection, end: Ended) -> None:
        if connection.retired:
            return
        if connection is self._active:
            self._active = None
            self._reset_backoff(connection)
        if connection is self._next:
            self._next = None
        if end.retry_after:
            self._subscription.limiter.close_for(end.retry_after)
        if self._active is None:
            self._listener.take(Interrupted(end.reason))
            if self._next and self._next.subscribed:
                self._activate(self._next)
                return
        if self._next is None:
            self._connect(self._next_wait(end.retry_after, throttled=end.throttled))

    def _replace(self, connection: VenueConnection, reason: str) -> None:
        if connection is self._active and self._next is None:
            self._reset_backoff(connection)
            at_once = reason == LIMIT_NEAR or connection.steady_for >= _STEADY
            self._connect(0.0 if at_once else self._next_wait())

    def _next_wait(self, asked: float = 0.0, *, throttled: bool = False) -> float:
        self._failures += 1
        return wait_before_retry(self._failures, self._jitter(), asked, throttled=throttled)

    def _reset_backoff(self, connection: VenueConnection) -> None:
        if connection.steady_for >= _STEADY:
            self._failures = 0

    def _connect(self, delay: float) -> None:
        connection = VenueConnection(
            self._subscription, self._transport, listener=self._listener, report=self._on_event, delay=delay
        )
        self._next = connection
        self._connections.add(connection)
        connection.task.add_done_callback(lambda task: self._on_task_done(connection, task))

    def _on_task_done(self, connection: VenueConnection, task: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_result(error)

    async def _close(self) -> None:
        tasks = [connection.task for connection in self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
