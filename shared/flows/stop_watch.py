"""Watching a window's row while a slice runs, so that a stop is seen within a second."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from shared import telemetry
from shared.clients.storage.windows import Ledger
from shared.errors import Unavailable

logger = logging.getLogger(__name__)

_EVERY = 1.0


class StopWatch:
    """The newest `stop_at` that a window's row is known to have."""

    def __init__(self, stop_at: datetime | None) -> None:
        """Begin with what the row says now."""
        self._stop_at = stop_at

    def __call__(self) -> datetime | None:
        """Give the time at which the slice must end, None where no stop was asked for."""
        return self._stop_at

    async def watch(self, ledger: Ledger, window_id: str, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Read the row each second, for ever; a ledger that does not answer is asked again."""
        while True:
            await sleep(_EVERY)
            try:
                row = await asyncio.to_thread(ledger.window, window_id)
            except Unavailable as error:
                telemetry.warning(logger, "slice.stop_unknown", window=window_id, cause=error)
                continue
            self._stop_at = row.stop_at if row else self._stop_at


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
