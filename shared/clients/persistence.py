"""Blocking calls to systems that fail in passing: tried again with full jitter until a deadline of our own."""

import math
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.clients.retrying import Backoff, Timeouts
from shared.errors import Unavailable

CONNECT_SECONDS: Final = 5.0
"""How long a connection may take; a try that has less time left takes no longer than that."""

BRIEF: Final = Timeouts(total=20.0, attempt=8.0, ordinary=Backoff(0.5, 5.0), busy=Backoff(2.0, 10.0))
"""The patience of an activity that has better things to do than to wait: it is retried as a whole anyway."""

_LEAST_SHARE = 0.1


class TransientError(Unavailable):
    """A failure that another try may cure.

    busy: the peer said that it is overloaded. retry_after: the seconds that it wants to be left alone.
    """

    def __init__(self, text: str, *, busy: bool = False, retry_after: float = 0.0) -> None:
        """Say what failed."""
        super().__init__(text)
        self.busy = busy
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Tempo:
    """Time and chance of a thread, so that a test can play both.

    clock: seconds of a clock that never goes back. sleep: waits that many seconds. jitter: a draw from `[0, 1)`.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = field(default_factory=lambda: secrets.SystemRandom().random)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Tries a call again for as long as it fails in passing and its patience lasts."""

    patience: Timeouts = BRIEF
    tempo: Tempo = field(default_factory=Tempo)

    def call[Answer](self, attempt: Callable[[float], Answer], *, within: float | None = None) -> Answer:
        """Give what `attempt` gives, which is handed the seconds that it may take.

        within: seconds for all tries together, where it is less than the patience's total. Raises Unavailable with the
        last failure's text, and at once whatever else `attempt` raises.
        """
        total = self.patience.total if within is None else min(within, self.patience.total)
        end, failures = self.tempo.clock() + total, 0
        while True:
            try:
                return attempt(self._seconds(end))
            except TransientError as error:
                failures += 1
                wait = self._wait(error, failures, end)
                if wait is None:
                    raise Unavailable(f"{error} (tries: {failures})") from error
            self.tempo.sleep(wait)

    def _seconds(self, end: float) -> float:
        return max(min(self.patience.attempt, end - self.tempo.clock()), _LEAST_SHARE)

    def _wait(self, failure: TransientError, failures: int, end: float) -> float | None:
        """Give the seconds to wait, or None where no try that is worth its name would fit behind them."""
        left = end - self.tempo.clock() - self.patience.attempt * _LEAST_SHARE
        wait = self.patience.wait(failures, busy=failure.busy, left=left, draw=self.tempo.jitter())
        return None if wait is None or failure.retry_after >= left else max(wait, failure.retry_after)


def connect_seconds(seconds: float) -> float:
    """Give how long connecting may take in a try of so many seconds."""
    return min(CONNECT_SECONDS, seconds)


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """Read Retry-After where it is given in seconds; a date is treated as if it were not there."""
    try:
        seconds = float(headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return seconds if 0.0 <= seconds < math.inf else 0.0
