"""How every client tries again: full jitter, a longer back-off for an overloaded peer, a deadline for all tries."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, Unavailable

CONNECT_SECONDS: Final = 5.0
"""How long a connection may take; a try that has less time left takes no longer than that."""

_LEAST_SECONDS = 0.1
_LEAST_SHARE = 0.1
_MOST_DOUBLINGS = 32


class TransientError(Unavailable):
    """A failure that another try may cure."""


class AmbiguousRefusal(TransientError):
    """A refused login in words that a service also has for what passes; where it lasts, it is a LoginRefused."""

    kind = FailureKind.UNAUTHORIZED


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance as a client meets them, so that a test can play both.

    now: seconds of a clock that never goes back. sleep: blocks the thread for that many seconds. pause: the same for a
    coroutine, whose loop goes on. jitter: a draw from `[0, 1)`.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = field(default_factory=lambda: secrets.SystemRandom().random)


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
    """How long one call may take in all and per try (seconds), and how it waits between tries.

    ordinary: after any failure. throttled: after a peer said that it is overloaded.
    """

    total: float = 45.0
    attempt: float = 10.0
    ordinary: Backoff = Backoff(0.5)
    throttled: Backoff = Backoff(4.0)


BRIEF: Final = Timeouts(total=20.0, attempt=8.0, ordinary=Backoff(0.5, 5.0), throttled=Backoff(2.0, 10.0))
"""For an activity that has better things to do than to wait: it is retried as a whole anyway."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Tries a call again for as long as its failures are transient and its time lasts."""

    timeouts: Timeouts = BRIEF
    clock: Clock = field(default_factory=Clock)

    def call[Answer](self, attempt: Callable[[float], Answer], *, within: float | None = None) -> Answer:
        """Give what `attempt` gives, which is handed the seconds that it may take.

        within: seconds for all tries together, where it is less than the policy's total. Raises Unavailable, or after
        an AmbiguousRefusal LoginRefused, with the last failure's text, and at once whatever else `attempt` raises.
        """
        tries = self.begin(within)
        while True:
            try:
                return attempt(tries.seconds())
            except TransientError as error:
                wait = tries.wait_after(error.kind, error.retry_after)
                if wait is None:
                    raise _given_up(error, tries.failures) from error
            self.clock.sleep(wait)

    def begin(self, within: float | None = None) -> "Tries":
        """Start the time of a call, for a caller that makes the tries itself (a coroutine, with a breaker)."""
        total = self.timeouts.total if within is None else min(within, self.timeouts.total)
        return Tries(self, self.clock.now() + total)


@dataclass(slots=True)
class Tries:
    """The tries of one call. end: when the last one must be over, by the policy's clock."""

    policy: RetryPolicy
    end: float
    failures: int = 0

    def seconds(self) -> float:
        """Give how long a try that begins now may take."""
        return max(min(self.policy.timeouts.attempt, self._left()), _LEAST_SECONDS)

    def wait_after(self, kind: FailureKind = FailureKind.UNAVAILABLE, retry_after: float = 0.0) -> float | None:
        """Count a failure, and give the seconds to wait before the next try: never less than the peer asked for.

        None where no try that is worth its name would fit behind the wait.
        """
        self.failures += 1
        timeouts, draw = self.policy.timeouts, self.policy.clock.jitter()
        backoff = timeouts.throttled if kind is FailureKind.THROTTLED else timeouts.ordinary
        wait = max(backoff.wait(self.failures, draw), retry_after)
        return wait if wait < self._left() - timeouts.attempt * _LEAST_SHARE else None

    def _left(self) -> float:
        return self.end - self.policy.clock.now()


def _given_up(error: TransientError, failures: int) -> Unavailable | LoginRefused:
    text = f"{error} (tries: {failures})"
    if error.kind is FailureKind.UNAUTHORIZED:
        return LoginRefused(text)
    return Unavailable(text, throttled=error.kind is FailureKind.THROTTLED, retry_after=error.retry_after)


def connect_seconds(seconds: float) -> float:
    """Give how long connecting may take in a try of so many seconds."""
    return min(CONNECT_SECONDS, seconds)
