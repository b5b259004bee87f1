"""The connections of one `follow` taken together: reconnecting, replacing one before its end, what was interrupted."""

import asyncio
from collections.abc import Callable
from typing import Final, NoReturn

from shared.clients.retrying import Backoff
from shared.errors import FeedRefused, IngestionError
from shared.trades.connection.connection import LIMIT_NEAR, Ended, Listener, Subscribed, Subscription, VenueConnection
from shared.trades.connection.transport import Transport
from shared.trades.venues.readings import (
    Connected,
    Heartbeat,
    Interrupted,
    Leaving,
    Reading,
    Refused,
    Snapshot,
    Unreadable,
)

Jitter = Callable[[], float]

_BACKOFF: Final = Backoff(base=0.5)
_STEADY: Final = 60.0
_OVERLAP: Final = 1.0


def wait_before_retry(failures: int, draw: float, asked: float = 0.0) -> float:
    """Give the seconds to wait after that many failures; what the venue asks for comes first, under the same cap."""
    return max(_BACKOFF.wait(failures, draw), min(asked, _BACKOFF.cap))


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
        """Tell the listener what happens until cancelled; raises what no retry can cure. All is closed at the end."""
        try:
            self._connect(0.0)
            raise await self._failure
        finally:
            await self._close()

    def _on_event(self, connection: VenueConnection, event: Reading | Subscribed | Ended | IngestionError) -> None:
        match event:
            case Subscribed():
                self._activate(connection)
            case Ended():
                self._on_closed(connection, event)
            case Leaving(reason):
                self._replace(connection, reason)
            case Refused(message):
                asked = ", ".join(self._subscription.symbols)
                self._fail(FeedRefused(f"{self._subscription.venue.name} refused {asked}: {message}"))
            case Snapshot() | Heartbeat() | Unreadable():
                self._listener.take(event)
            case IngestionError():
                self._fail(event)

    def _activate(self, connection: VenueConnection) -> None:
        if self._active:
            self._active.retire(_OVERLAP)
        self._active, self._next = connection, None
        self._subscribed += 1
        self._listener.take(Connected(self._subscribed))

    def _on_closed(self, connection: VenueConnection, end: Ended) -> None:
        if connection.retired:
            return
        if connection is self._active:
            self._active = None
            self._reset_backoff(connection)
        if connection is self._next:
            self._next = None
        if self._active is None:
            self._listener.take(Interrupted(end.reason))
        if self._next is None:
            self._connect(self._next_wait(end.retry_after))

    def _replace(self, connection: VenueConnection, reason: str) -> None:
        if connection is self._active and self._next is None:
            self._reset_backoff(connection)
            at_once = reason == LIMIT_NEAR or connection.steady_for >= _STEADY
            self._connect(0.0 if at_once else self._next_wait())

    def _next_wait(self, asked: float = 0.0) -> float:
        self._failures += 1
        return wait_before_retry(self._failures, self._jitter(), asked)

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
