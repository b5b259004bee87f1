"""What happened in a venue's markets while the reader was busy, in order and bounded."""

import asyncio
from collections.abc import Sequence
from typing import Final

from shared.trades.venues.readings import FeedEvent
from shared.trades.venues.trade import Trade

Item = FeedEvent | BaseException | list[Trade]

_MOST_WAITING: Final = 20_000


class Inbox:
    """Events and failures for one reader; trades that follow each other lie in one list."""

    def __init__(self) -> None:
        """Begin empty; belongs to the running event loop."""
        self._items: list[Item] = []
        self._open: list[Trade] | None = None
        self._waiting = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def full(self) -> bool:
        """Say whether writers should wait for `emptied`."""
        return self._waiting >= _MOST_WAITING

    def add(self, trades: Sequence[Trade]) -> None:
        """Add trades."""
        if self._open is None:
            fresh: list[Trade] = []
            self.put(fresh)
            self._open = fresh
        self._open.extend(trades)
        self._waiting += len(trades)

    def put(self, item: Item) -> None:
        """Add anything else."""
        self._open = None
        self._waiting += 1
        self._items.append(item)
        self._filled.set()

    def wake(self) -> None:
        """Let `take` return, though there is nothing to take."""
        self._filled.set()

    async def take(self) -> list[Item]:
        """Wait for something and take all of it."""
        await self._filled.wait()
        self._filled.clear()
        items, self._items, self._open, self._waiting = self._items, [], None, 0
        self._emptied.set()
        return items

    async def emptied(self) -> None:
        """Wait until the reader has taken what lies here."""
        self._emptied.clear()
        await self._emptied.wait()
