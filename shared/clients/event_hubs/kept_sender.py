"""Sends to one hub over connections that outlive a call, for callers that have no event loop of their own."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from shared import telemetry
from shared.clients.destination import RestingSender
from shared.clients.event_hubs.hubs import EventHubs
from shared.domain.delivery import Delivery, Event


@dataclass(slots=True)
class KeptSender:
    """One sender for any number of threads and batches; connecting and logging in cost a batch more than its sending.

    It lives on a loop in a thread of its own, both begun by the first send at the latest. What breaks of it is replaced
    as it is within a slice: by the sender itself, at the next try.
    """

    hubs: EventHubs
    hub: str
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _sender: RestingSender | None = field(default=None, init=False)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack, init=False)

    def connect(self) -> None:
        """Begin to connect, ahead of the first send; returns at once, and does nothing the next time."""
        self._begun()

    def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events and wait for that; raises what `Sender.send` does."""
        if not events:
            return Delivery()
        loop, sender = self._begun()
        with telemetry.logged_here():
            return asyncio.run_coroutine_threadsafe(sender.send(events), loop).result()

    def close(self) -> None:
        """Disconnect; no send may be under way or follow."""
        if self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._open.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _begun(self) -> tuple[asyncio.AbstractEventLoop, RestingSender]:
        with self._lock:
            if self._loop is None or self._sender is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name=f"sender to {self.hub}", daemon=True).start()
                opening = self._open.enter_async_context(self.hubs.sender(self.hub, ahead=True))
                self._sender = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
            return self._loop, self._sender


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
