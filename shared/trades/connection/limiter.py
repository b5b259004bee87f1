"""When a venue may be asked next, for all who ask it from this process: its limit, and the bans that it spoke."""

import asyncio
import threading
import time
from collections.abc import Callable

from shared.trades.venues.venue import RequestLimit


class RequestLimiter:
    """One venue's; shared by slices that run in threads and loops of their own. `clock`: seconds that never go back."""

    def __init__(self, limit: RequestLimit, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with the whole burst free, and nothing closed."""
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._next = self._open_at = float("-inf")

    def wait(self) -> float:
        """Take the next place, and give the seconds until it comes."""
        with self._lock:
            now = self._clock()
            place = max(self._next, now - (self._limit.burst - 1) * self._limit.every)
            self._next = place + self._limit.every
            return max(place - now, 0.0)

    def close_for(self, seconds: float) -> None:
        """Note that the venue wants to be left alone for so long; a shorter wish never ends a longer one."""
        with self._lock:
            self._open_at = max(self._open_at, self._clock() + seconds)

    async def opened(self) -> None:
        """Wait until nobody is forbidden to ask: another request may be banned while this waits."""
        while left := self.closed_for():  # noqa: ASYNC110 - those who close it run in other loops
            await asyncio.sleep(left)

    def closed_for(self) -> float:
        """Give the seconds for which nobody may ask, 0 where the venue may be asked."""
        with self._lock:
            return max(self._open_at - self._clock(), 0.0)
