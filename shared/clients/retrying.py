"""How long to wait before trying again, and when to stop trying."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Time and chance as a client meets them, so that a test can play both.

    clock: seconds of a clock that never goes back. sleep: waits that many seconds. jitter: a draw from `[0, 1)`.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    jitter: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter: the wait before try `n` is drawn evenly from `[0, min(cap, base * 2**n))` seconds."""

    base: float
    cap: float = 30.0

    def wait(self, failures: int, draw: float) -> float:
        """Give the seconds to wait after that many failures (at least 1); `draw` lies in `[0, 1)`."""
        ceiling: float = min(self.cap, self.base * 2 ** min(failures - 1, _MOST_DOUBLINGS))
        return draw * ceiling


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one call may take in all and per attempt (seconds), and how it waits between attempts.

    ordinary: after any failure. busy: after a peer said that it is overloaded.
    """

    total: float = 45.0
    attempt: float = 10.0
    ordinary: Backoff = Backoff(0.5)
    busy: Backoff = Backoff(4.0)

    def wait(self, failures: int, *, busy: bool, left: float, draw: float) -> float | None:
        """Give the seconds to wait before the next attempt, or None where none fits in the seconds `left`."""
        seconds = (self.busy if busy else self.ordinary).wait(failures, draw)
        return seconds if seconds < left else None


_MOST_DOUBLINGS = 32
