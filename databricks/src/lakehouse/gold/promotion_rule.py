"""Which promotions a user gets: the rule of the app's `shared.domain.promotions`, over all points that are known.

The wheel imports nothing of the app, so the rule stands here again; a test holds both to the same promotions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

DAY = 86_400_000_000
"""A day in microseconds; all times here are microseconds since 1970, UTC."""

type Outcome = Literal["promoted", "suppressed_by_cap", "suppressed_by_cool_down"]


class Candidate(NamedTuple):
    """A promotion of a store near which a user was at `at`; location and merchant are the store's."""

    at: int
    store_id: str
    promotion_id: str
    discount_percent: int
    metres: float
    valid_until: int
    location: str
    merchant: str


class Given(NamedTuple):
    """A promotion of a store that the user got for a point at `at`."""

    store_id: str
    at: int


def decided(
    candidates: Iterable[Candidate], given: Iterable[Given], cap: int, cool_down: int
) -> Iterator[tuple[Candidate, Outcome]]:
    """Decide about one user's candidates, whose points are all later than those of `given`, in the points' order.

    Of a point the best discount comes first, then the nearest store. At most `cap` promotions a day, none of a store
    within `cool_down` (microseconds) of its last one nor on the same day.
    """
    last: dict[str, int] = {}
    of_day: Counter[int] = Counter()
    for one in sorted(given, key=lambda one: one.at):
        last[one.store_id] = one.at
        of_day[one.at // DAY] += 1
    for candidate in sorted(candidates, key=_turn):
        before, day = last.get(candidate.store_id), candidate.at // DAY
        if before is not None and (before // DAY == day or candidate.at - before < cool_down):
            yield candidate, "suppressed_by_cool_down"
        elif of_day[day] >= cap:
            yield candidate, "suppressed_by_cap"
        else:
            last[candidate.store_id] = candidate.at
            of_day[day] += 1
            yield candidate, "promoted"


def _turn(candidate: Candidate) -> tuple[int, int, float, str, str]:
    return (
        candidate.at,
        -candidate.discount_percent,
        candidate.metres,
        candidate.store_id,
        candidate.promotion_id,
    )
