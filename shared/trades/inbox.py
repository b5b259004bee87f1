"""Trades of one slice or closing that wait to be handed over: the one place where they wait, and it is bounded."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from shared.trades.venues.trade import Trade

LIMIT: Final = 20_000
FLUSH_AT: Final = 10_000


class Inbox:
    """Trades that were taken in and not handed over yet.

    Whoever adds trades waits for room before it reads on. So a hub that is slow holds up the websockets and the search
    of the history, and the memory of a slice does not grow: at most `LIMIT` trades wait, and what each reader has just
    read.
    """

    def __init__(self) -> None:
        self._trades: list[Trade] = []
        self._taken = asyncio.Event()
        self._due = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether readers are to wait for room."""
        return len(self._trades) >= LIMIT

    def add(self, trades: Sequence[Trade]) -> None:
        """Add trades; also when full, for they were read already."""
        self._trades += trades
        if len(self._trades) >= FLUSH_AT:
            self._due.set()

    async def room(self) -> None:
        """Wait until there is room; returns at once where there is."""
        while self.is_full:
            self._taken.clear()
            await self._taken.wait()

    def hand_over(self) -> None:
        """Let `due` return, however few trades wait."""
        self._due.set()

    async def due(self) -> None:
        """Wait until it is time to take trades: there are `FLUSH_AT`, or `hand_over` was called."""
        await self._due.wait()

    def take(self) -> list[Trade]:
        """Take the oldest trades, at most `FLUSH_AT`."""
        taken, self._trades = self._trades[:FLUSH_AT], self._trades[FLUSH_AT:]
        self._taken.set()
        if len(self._trades) < FLUSH_AT:
            self._due.clear()
        return taken

    def take_back(self, is_unwanted: Callable[[Trade], bool]) -> list[Trade]:
        """Take out the trades that are not to be handed over after all."""
        unwanted = [trade for trade in self._trades if is_unwanted(trade)]
        self._trades = [trade for trade in self._trades if not is_unwanted(trade)]
        self._taken.set()
        return unwanted
