"""A gap while a slice runs: what is missing, where a search for it begins, and how often that was tried."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from shared.domain.windows.window import Slice, microseconds

SearchOutcome = Literal["reached", "ended", "failed"]
"""How a walk back through a venue's history ended: it met its bound, the history went no further, or did not answer."""

ENOUGH_ANSWERS = 3
LONGEST_WAIT = 30_000_000
LEAST_ID = 1
FIRST_WAIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """A slice's time `[start, end)`, and its lead and grace; all microseconds, the first two since the Unix epoch."""

    start: int
    end: int
    lead: int
    grace: int

    @property
    def early(self) -> int:
        """Give the time before which a trade proves that no lower id is the slice's."""
        return self.start - self.grace

    @property
    def late(self) -> int:
        """Give the time from which a trade proves that no higher id is the slice's."""
        return self.end + self.grace

    @property
    def on_time(self) -> int:
        """Give the latest moment of connecting that leaves room for clocks that differ."""
        return self.start - self.lead // 2


@dataclass(slots=True)
class Gap:
    """Ids `first` to `last` (None: open on that side), or the time from `since` to `until` (microseconds).

    above: id and time of a trade just above, from which a search walks back; None: from the newest.
    filled: trades of the slice that the history brought. again_at: not to be searched before. resume: the venue's
    request for the page at which a search was left, so that the next one goes on there.
    """

    reason: str
    first: int | None = None
    last: int | None = None
    above: tuple[int, int] | None = None
    since: int | None = None
    until: int | None = None
    again_at: int = 0
    tries: int = 0
    answers: int = 0
    filled: int = 0
    ended: bool = False
    detail: str = ""
    resume: Any = None

    def is_due(self, now: int, *, final: bool) -> bool:
        """Say whether to search now; a new gap is first given a second, in which trades on their way may arrive."""
        if self.ended:
            return False
        if self.tries == 0 and self.again_at == 0:
            self.again_at = now + FIRST_WAIT
        return self.again_at <= now or (final and self.tries == 0)

    def tried(self, outcome: SearchOutcome, detail: str, now: int) -> None:
        """Note how a search ended; the next one waits twice as long, up to 30 s."""
        self.tries += 1
        self.answers += outcome != "failed"
        self.ended = outcome == "ended"
        self.detail = detail
        self.again_at = now + min(500_000 << min(self.tries, 10), LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A search of a market's history.

    It walks back from `above` (None: from the newest trade no later than `until`) until it meets an id ≤ `first`, or a
    trade older than `since`.
    """

    since: int
    until: int
    first: int | None = None
    above: tuple[int, int] | None = None
    gap: Gap = field(default_factory=lambda: Gap("search"))


def bounds_of(part: Slice, lead: timedelta, grace: timedelta) -> Bounds:
    """Give the bounds of a slice."""
    unit = timedelta(microseconds=1)
    return Bounds(microseconds(part.start), microseconds(part.end), lead // unit, grace // unit)
