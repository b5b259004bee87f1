"""How late a busy machine runs what is due: tests subtract it before they judge how late the app is."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.faults.figures import percentile

EVERY = 0.01


@dataclass
class Lag:
    """The seconds by which the loop ran each of its timers too late, so far."""

    seconds: list[float] = field(default_factory=list)

    @property
    def longest(self) -> float:
        return max(self.seconds)

    def percentile(self, percent: float) -> float:
        return percentile(self.seconds, percent)

    async def watch(self) -> None:
        while True:
            due = time.monotonic() + EVERY
            await asyncio.sleep(EVERY)
            self.seconds.append(time.monotonic() - due)


@contextlib.asynccontextmanager
async def measured_lag() -> AsyncIterator[Lag]:
    """Watch the loop for the length of a block."""
    lag = Lag()
    watching = asyncio.create_task(lag.watch())
    try:
        yield lag
    finally:
        watching.cancel()
