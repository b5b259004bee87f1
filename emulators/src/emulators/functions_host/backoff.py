"""How long to wait for the next try: WebJobs' randomized exponential back-off, and the retry policies made of it."""

import random
from dataclasses import dataclass
from datetime import timedelta

_LEAST, _MOST = 0.8, 1.2
_HIGHEST_POWER = 40


def backoff_seconds(tries: int, shortest: float, longest: float, jitter: float) -> float:
    """Give the seconds to wait after `tries` earlier waits: `shortest`, then that and 1, 2, 4 … times as much more.

    `jitter` (0.8 to 1.2) is the random part. As in RandomizedExponentialBackoffStrategy of the storage extension.
    """
    more = jitter * shortest * 2.0 ** min(tries - 1, _HIGHEST_POWER) if tries else 0.0
    return min(longest, shortest + more)


def random_jitter() -> float:
    """Draw the random part of a back-off."""
    return random.uniform(_LEAST, _MOST)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What `@retry` asks for: at most `count` more runs (-1: for ever), `shortest` apart, growing up to `longest`.

    A fixed delay is one whose `shortest` and `longest` are the same.
    """

    count: int
    shortest: timedelta
    longest: timedelta

    def allows(self, retries: int) -> bool:
        """Say whether there may be another run after `retries` of them."""
        return self.count < 0 or retries < self.count

    def seconds(self, retries: int, jitter: float) -> float:
        """Give the seconds to wait after `retries` runs beyond the first."""
        return backoff_seconds(retries, self.shortest.total_seconds(), self.longest.total_seconds(), jitter)


@dataclass(frozen=True, slots=True)
class RetryCount:
    """What a function is told of its retries: this is number `now`, and `most` are allowed (-1: for ever)."""

    now: int = 0
    most: int = 0
