"""Watching a window's row while a slice runs, so that a stop is seen within a second."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from shared import telemetry
from shared.clients.storage.windows import Ledger
from shared.domain.steps import readable

logger = logging.getLogger(__name__)

_EVERY = 1.0
BLIND: Final = 30
"""After so many readings in a row without an answer a slice says that a stop might not have been seen."""


class StopWatch:
    """The newest `stop_at` that a window's row is known to have."""

    def __init__(self, stop_at: datetime | None) -> None:
        """Begin with what the row says now."""
        self._stop_at = stop_at
        self._failed = self._longest = 0
        self._cause = ""

    def __call__(self) -> datetime | None:
        """Give the time at which the slice must end, None where no stop was asked for."""
        return self._stop_at

    def warnings(self) -> list[str]:
        """Say where the ledger did not answer for so long that a stop may have been seen late, and why."""
        if self._longest < BLIND:
            return []
        return [f"The ledger could not be asked for a stop {self._longest} times in a row: {self._cause}"]

    async def watch(self, ledger: Ledger, window_id: str, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Read the row each second, for ever; whatever fails, it is asked again."""
        while True:
            await sleep(_EVERY)
            try:
                row = await asyncio.to_thread(ledger.window, window_id)
            except Exception as error:  # noqa: BLE001 - a watch that ends would hide every later stop
                self._note(window_id, error)
                continue
            self._failed = 0
            self._stop_at = row.stop_at if row else self._stop_at

    def _note(self, window_id: str, error: Exception) -> None:
        self._failed += 1
        if self._failed > self._longest:
            self._longest, self._cause = self._failed, readable(str(error)) or type(error).__name__
        telemetry.warning(logger, "slice.stop_unknown", window=window_id, cause=error)


@asynccontextmanager
async def watching(
    ledger: Ledger, window_id: str, sleep: Callable[[float], Awaitable[None]]
) -> AsyncIterator[StopWatch]:
    """Watch for the length of a block."""
    row = await asyncio.to_thread(ledger.window, window_id)
    watch = StopWatch(row.stop_at if row else None)
    task = asyncio.create_task(watch.watch(ledger, window_id, sleep))
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
