"""The limits of a push dataset, as Microsoft documents them: rows a POST, POSTs a minute, rows an hour."""

import math
from collections import deque
from dataclasses import dataclass, field

MOST_ROWS_A_POST = 10_000
POSTS_A_MINUTE = 120
ROWS_AN_HOUR = 1_000_000

_MINUTE, _HOUR = 60.0, 3_600.0


@dataclass(slots=True)
class Window:
    """How much has happened in the last `seconds`, and may at most."""

    most: int
    seconds: float
    taken: deque[tuple[float, int]] = field(default_factory=deque)
    total: int = 0

    def wait(self, amount: int, now: float) -> float:
        """Tell how many seconds to wait until `amount` more fits; 0 if it does now."""
        self._forget(now)
        over = self.total + amount - self.most
        for at, past in self.taken:
            if over <= 0:
                break
            over -= past
            if over <= 0:
                return at + self.seconds - now
        return 0.0 if over <= 0 else self.seconds

    def take(self, amount: int, now: float) -> None:
        """Count what happens now."""
        self.taken.append((now, amount))
        self.total += amount

    def _forget(self, now: float) -> None:
        while self.taken and self.taken[0][0] + self.seconds <= now:
            self.total -= self.taken.popleft()[1]


@dataclass(slots=True)
class Limits:
    """The limits of one dataset. Moments are seconds of any clock that only goes forward."""

    posts: Window = field(default_factory=lambda: Window(POSTS_A_MINUTE, _MINUTE))
    rows: Window = field(default_factory=lambda: Window(ROWS_AN_HOUR, _HOUR))

    def retry_after(self, rows: int, now: float) -> int | None:
        """Tell how many whole seconds a POST of so many rows has to wait; None, and it counts, if it need not."""
        wait = max(self.posts.wait(1, now), self.rows.wait(rows, now))
        if wait > 0:
            return math.ceil(wait)
        self.posts.take(1, now)
        self.rows.take(rows, now)
        return None
