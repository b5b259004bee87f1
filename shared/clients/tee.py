"""Sends the same events to a hub and to Cosmos DB beside it, of which the hub goes first: it never waits for Cosmos."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.clients.destination import RestingSender, Sender
from shared.domain.delivery import Delivery, Event
from shared.errors import LoginRefused, SendFailed

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of bodies that wait for Cosmos DB: more of them are spilled."""

BYTES_AT_ONCE: Final = 1024 * 1024
"""Of bodies that are sent together, over all partition keys."""

DRAIN_SECONDS: Final = 15.0
"""After the last event of a slice Cosmos DB has so long for its backlog; the rest is spilled."""


@dataclass(slots=True)
class Beside:
    """Sends until a time that may be set while it does; after that nothing is settled any more.

    Every failure of its sender is one that may pass, for it must cost nobody else anything: what is not taken is
    spilled, and a redriver that is denied access, or finds no container, says so.
    """

    sender: RestingSender
    _until: float | None = field(default=None, init=False)
    _running: asyncio.Timeout | None = field(default=None, init=False)

    @property
    def rest(self) -> float:
        """Give the seconds for which the sender leaves its peer alone."""
        return self.sender.rest

    async def send(self, events: Sequence[Event], *, briefly: bool = False) -> Delivery:
        """Deliver as the sender does; SendFailed names all of the events where it may not, or time is up."""
        try:
            async with asyncio.timeout_at(self._until) as self._running:
                return await self.sender.send(events, briefly=briefly)
        except TimeoutError:
            raise SendFailed("its time was up before all was delivered", unsettled=events) from None
        except LoginRefused as refusal:
            raise SendFailed(str(refusal), unsettled=events) from refusal
        except SendFailed as failure:
            raise SendFailed(str(failure), failure.delivery, unsettled=failure.unsettled) from failure
        finally:
            self._running = None

    def end_in(self, seconds: float) -> None:
        """Set the time."""
        self._until = asyncio.get_running_loop().time() + seconds
        if self._running is not None:
            self._running.reschedule(self._until)


@dataclass(slots=True)
class Backlog:
    """What waits for `sender`; where that is over `most` bytes, all of it goes to `aside`. For one loop."""

    sender: Sender
    aside: Sender
    most: int = MOST_BYTES
    waiting_bytes: int = field(default=0, init=False)
    _waiting: deque[Event] = field(default_factory=deque, init=False)
    _filled: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _is_ended: bool = field(default=False, init=False)
    _work: asyncio.Task[None] | None = field(default=None, init=False)
    _keeping: asyncio.Task[Delivery] | None = field(default=None, init=False)

    def put(self, events: Sequence[Event]) -> None:
        """Add events; never waits."""
        self._work = self._work or asyncio.create_task(self._send_all())
        self._waiting.extend(events)
        self.waiting_bytes += sum(len(event.body) for event in events)
        self._filled.set()
        if self.waiting_bytes > self.most and (self._keeping is None or self._keeping.done()):
            self._keeping = asyncio.create_task(self.aside.send(self._take(self.waiting_bytes)))

    async def has_room(self) -> None:
        """Wait while too much waits, though as much is being put aside; raises SendFailed where nobody takes it."""
        if self._keeping is not None and self.waiting_bytes > self.most:
            await asyncio.wait({self._keeping})
        for task in (self._work, self._keeping):
            if task is not None and task.done():
                task.result()

    async def end(self) -> None:
        """Wait until nothing waits any more; raises SendFailed where nobody takes it."""
        self._is_ended = True
        self._filled.set()
        for task in (self._work, self._keeping):
            if task is not None:
                await task

    async def close(self) -> None:
        """Give up what still waits."""
        running = [task for task in (self._work, self._keeping) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _send_all(self) -> None:
        while self._waiting or not self._is_ended:
            if self._waiting:
                await self.sender.send(self._take(BYTES_AT_ONCE))
            else:
                self._filled.clear()
                await self._filled.wait()

    def _take(self, most: int) -> list[Event]:
        """Take the first events, at least one, until they have so many bytes."""
        taken, size = [], 0
        while self._waiting and size < most:
            event = self._waiting.popleft()
            taken.append(event)
            size += len(event.body)
        self.waiting_bytes -= size
        return taken


@dataclass(frozen=True, slots=True)
class Tee:
    """Gives events to both. What the hub does is what a send says; the other is counted where it happens."""

    hub: Sender
    beside: Backlog

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events to the hub, while those before them may still be on their way to the other.

        Raises as the hub's sender does; and SendFailed, with what the hub did, where neither the other nor its spill
        takes what waits.
        """
        self.beside.put(events)
        delivery = await self.hub.send(events)
        try:
            await self.beside.has_room()
        except SendFailed as failure:
            raise SendFailed(str(failure), delivery, kind=failure.kind, retry_after=failure.retry_after) from failure
        return delivery
