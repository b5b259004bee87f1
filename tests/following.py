"""Following a venue event by event, which no part of the app does: it listens."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from shared.trades.connection.client import VenueClient
from shared.trades.connection.connection import Listener
from shared.trades.venues.readings import FeedEvent


class Heard(Listener):
    """A listener that keeps what it is told; full once `limit` events wait."""

    def __init__(self, limit: int = 1 << 30) -> None:
        self.events: asyncio.Queue[FeedEvent | BaseException] = asyncio.Queue()
        self.limit = limit
        self.taken = asyncio.Event()
        self.held_up = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return self.events.qsize() >= self.limit

    def take(self, event: FeedEvent) -> None:
        self.events.put_nowait(event)

    async def room(self) -> None:
        while self.is_full:
            self.held_up.set()
            self.taken.clear()
            await self.taken.wait()

    async def next(self) -> FeedEvent:
        event = await self.events.get()
        self.taken.set()
        if isinstance(event, BaseException):
            raise event
        return event

    def ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self.events.put_nowait(error)


async def events_of(
    client: VenueClient, symbols: Sequence[str], heard: Heard | None = None
) -> AsyncGenerator[FeedEvent]:
    """Give what a venue tells; closing the generator ends the following."""
    heard = heard or Heard()
    task = asyncio.create_task(client.follow(symbols, heard))
    task.add_done_callback(heard.ended)
    try:
        while True:
            yield await heard.next()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
