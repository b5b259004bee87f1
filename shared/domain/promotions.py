"""Which promotions a user gets: the best discount first, so many a day at the most, none of one store again too soon.

The decision depends on the points alone and on what was decided before, so that any split of the same points into
batches gives the same promotions, and a batch that comes again gives the same ones again, with the same ids.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A promotion of a store near which a user was. metres: how far away. at: the point's time, with its zone."""

    appid: str
    store_id: str
    promotion_id: str
    discount_percent: int
    metres: float
    at: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A promotion that a user was given for a point at `at`."""

    store_id: str
    promotion_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """What a user got lately, in the order in which it was decided."""

    sent: tuple[Sent, ...] = ()

    def since(self, before: datetime) -> "Given":
        """Forget what was given for points before an instant."""
        return Given(tuple(one for one in self.sent if one.at >= before))


@dataclass(frozen=True, slots=True)
class Rules:
    """At most `cap` promotions a user and day (UTC), none of the same store within `cool_down` nor on the same day."""

    cap: int = 3
    cool_down: timedelta = timedelta(hours=4)

    @property
    def memory(self) -> timedelta:
        """Give how far from a point's time what was given still matters."""
        return max(DAY, self.cool_down)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a user's candidates, each of which is in one of three; `given` is what the user got by now."""

    promoted: tuple[Candidate, ...]
    suppressed_by_cap: tuple[Candidate, ...]
    suppressed_by_cool_down: tuple[Candidate, ...]
    given: Given


def event_id(appid: str, store_id: str, at: datetime) -> str:
    """Name the event of a promotion, `<appid>/<store_id>/<yyyymmdd>`: whatever is sent twice has one id."""
    return f"{appid}/{store_id}/{_day(at):%Y%m%d}"


def decide(candidates: Sequence[Candidate], given: Given, rules: Rules) -> Decision:
    """Decide about one user's candidates, which stand in the order of their points.

    What was given for the same point before is given again: the point came twice, and nobody knows whether the
    promotion left. A store is promoted once a day at the most, whatever the cool-down, as its event has one id a day.
    """
    sent = list(given.sent)
    promoted, over_cap, too_soon = [], [], []
    for candidate in _best_first(candidates):
        new = Sent(candidate.store_id, candidate.promotion_id, candidate.at)
        if new in sent:
            promoted.append(candidate)
        elif any(_is_too_soon(one, new, rules.cool_down) for one in sent):
            too_soon.append(candidate)
        elif sum(_day(one.at) == _day(new.at) for one in sent) >= rules.cap:
            over_cap.append(candidate)
        else:
            sent.append(new)
            promoted.append(candidate)
    return Decision(tuple(promoted), tuple(over_cap), tuple(too_soon), Given(tuple(sent)))


def by_user(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """Group candidates by their user; each user's stay in their order."""
    grouped: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        grouped.setdefault(candidate.appid, []).append(candidate)
    return grouped


def _best_first(candidates: Iterable[Candidate]) -> Iterable[Candidate]:
    """Order each point's candidates by discount, the nearest first among equals; points stay in their order."""
    points: dict[datetime, list[Candidate]] = {}
    for candidate in candidates:
        points.setdefault(candidate.at, []).append(candidate)
    return (one for some in points.values() for one in sorted(some, key=_rank))


def _rank(candidate: Candidate) -> tuple[int, float, str, str]:
    return -candidate.discount_percent, candidate.metres, candidate.store_id, candidate.promotion_id


def _is_too_soon(one: Sent, new: Sent, cool_down: timedelta) -> bool:
    return one.store_id == new.store_id and (_day(one.at) == _day(new.at) or abs(new.at - one.at) < cool_down)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
