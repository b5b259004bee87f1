"""From points to promotions: users near a store are sent what it promotes, within the rules, at least once.

What a user is given is written before it is sent. A batch whose worker dies in between comes again, and the same
points are given the same promotions again, under the same ids (`shared.domain.promotions`): nothing is lost, a repeat
is known by its id, and the state alone decides, so that any number of instances keep the cap.
"""

import asyncio
import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Protocol

import msgspec

from shared import telemetry
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.storage.promotion_users import PromotionUser, PromotionUsers
from shared.domain.delivery import Delivery, Event
from shared.domain.promotions import Candidate, Decision, Rules, by_user, decide, event_id
from shared.errors import CorruptRow
from shared.flows.hub_records import RecordRefused, read_records

logger = logging.getLogger(__name__)

POINTS: Final = "gps/1"
PROMOTIONS: Final = "promotions/1"
SIDE_BY_SIDE: Final = 16
"""So many users are read and written at once."""


@dataclass(frozen=True, slots=True)
class GpsPoint:
    """Where a user was. accuracy: metres, None where unknown. slice: that of the event that brought the point."""

    appid: str
    latitude: float
    longitude: float
    accuracy: float | None
    at: datetime
    slice: str


@dataclass(frozen=True, slots=True)
class PromotedStore:
    """What a promotion says of its store."""

    location: str
    merchant: str
    latitude: float
    longitude: float


class PromotedPlaces(Protocol):
    """The stores and their promotions, as one version of the lookups has them."""

    def candidates(self, points: Sequence[GpsPoint]) -> Sequence[Candidate]:
        """Give what is promoted near the points at their times; each user's in the order of the points."""

    def store(self, store_id: str) -> PromotedStore:
        """Give the store of a candidate."""


@dataclass(frozen=True, slots=True)
class PromotionTools:
    """What promoting needs of the world.

    places: gives the newest lookups; raises Unavailable where there are none. fresh: how far from now a point's time
    may be, before and after.
    """

    places: Callable[[], PromotedPlaces]
    users: PromotionUsers
    hubs: EventHubs
    hub: str
    rules: Rules
    fresh: timedelta
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class _Decided:
    """What became of one user's candidates; `decision` is None where the user's row can't be read."""

    candidates: int
    decision: Decision | None


def promote(tools: PromotionTools, events: Sequence[Event]) -> Mapping[str, int]:
    """Promote for the points of a batch; gives what became of them by count.

    Raises Unavailable or LoginRefused where the batch must come again.
    """
    now = tools.clock()
    read = read_records(events, POINTS, lambda line, event: _point(line, event, now, tools.fresh))
    places = tools.places()
    matched = places.candidates(read.records)
    ended = [one for one in matched if one.valid_until <= now]
    decided = _decide_all(tools, [one for one in matched if one.valid_until > now], now)
    promoted = [one for each in decided if each.decision for one in each.decision.promoted]
    delivery = _send(tools, _events(promoted, places, read.records, now))
    counts = _counts(len(read.records), decided, ended, delivery) | _refusals(read.refused)
    telemetry.info(logger, "promotions.decided", **counts)
    return counts


def _decide_all(tools: PromotionTools, candidates: Iterable[Candidate], now: datetime) -> list[_Decided]:
    grouped = by_user(candidates)
    if not grouped:
        return []
    with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(grouped))) as pool:
        return list(pool.map(lambda some: _decide_user(tools, some, now), grouped.values()))


def _decide_user(tools: PromotionTools, candidates: Sequence[Candidate], now: datetime) -> _Decided:
    decisions = []

    def change(user: PromotionUser) -> PromotionUser:
        given = user.given.since(now - tools.fresh - tools.rules.memory)
        decisions.append(decide(candidates, given, tools.rules))
        return PromotionUser(decisions[-1].given, user.gone_at) if decisions[-1].given != given else user

    try:
        tools.users.change(candidates[0].appid, change)
    except CorruptRow as error:
        telemetry.warning(logger, "promotions.user_unreadable", cause=error)
        return _Decided(len(candidates), None)
    return _Decided(len(candidates), decisions[-1])


def _events(
    promoted: Iterable[Candidate], places: PromotedPlaces, points: Iterable[GpsPoint], now: datetime
) -> list[Event]:
    """Make the events, each id once; one is of the slice of its point."""
    slices = {(point.appid, point.at): point.slice for point in points}
    by_id = {event_id(one.appid, one.store_id, one.at): one for one in promoted}
    return [
        Event(
            _body(name, one, places.store(one.store_id), now),
            1,
            {"contract": PROMOTIONS, "slice": slices[one.appid, one.at]},
            partition_key=one.appid,
        )
        for name, one in by_id.items()
    ]


def _body(name: str, promoted: Candidate, store: PromotedStore, now: datetime) -> bytes:
    record = {
        "id": name,
        "appid": promoted.appid,
        "store_id": promoted.store_id,
        "promotion_id": promoted.promotion_id,
        "discount_percent": promoted.discount_percent,
        "location": store.location,
        "merchant": store.merchant,
        "latitude": store.latitude,
        "longitude": store.longitude,
        "metres": round(promoted.metres, 1),
        "point_time": _instant(promoted.at),
        "promoted_at": _instant(now),
        "valid_until": _instant(promoted.valid_until),
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _send(tools: PromotionTools, events: Sequence[Event]) -> Delivery:
    async def send() -> Delivery:
        async with tools.hubs.sender(tools.hub) as sender:
            return await sender.send(events)

    return asyncio.run(send()) if events else Delivery()


def _counts(points: int, decided: Sequence[_Decided], ended: Sequence[Candidate], delivery: Delivery) -> dict[str, int]:
    """Count candidates: matched = promoted + suppressed by either + ended + those of unreadable users."""
    decisions = [one.decision for one in decided if one.decision]
    return {
        "points": points,
        "matched": sum(one.candidates for one in decided) + len(ended),
        "promoted": sum(len(one.promoted) for one in decisions),
        "suppressed_by_cap": sum(len(one.suppressed_by_cap) for one in decisions),
        "suppressed_by_cool_down": sum(len(one.suppressed_by_cool_down) for one in decisions),
        "ended": len(ended),
        "unreadable_users": sum(one.candidates for one in decided if one.decision is None),
        "sent": delivery.accepted,
        "refused_by_hub": delivery.refused,
    }


def _refusals(refused: Counter[str]) -> dict[str, int]:
    return {f"passed_over_{reason}": count for reason, count in sorted(refused.items())}


class _Line(msgspec.Struct):
    """A record of `gps/1`; what may be blank there is None here."""

    appid: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    latitude: float | None = None
    longitude: float | None = None
    accuracy: float | None = None


_LINES: Final = msgspec.json.Decoder(_Line)
_POLE: Final = 90.0
_HALF_TURN: Final = 180.0


def _point(line: bytes, event: Event, now: datetime, fresh: timedelta) -> GpsPoint:
    """Read a point; refused for one of `record`, `position` and `time`."""
    try:
        found = _LINES.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RecordRefused("record") from None
    latitude, longitude = found.latitude, found.longitude
    if latitude is None or longitude is None or not _is_place(latitude, longitude):
        raise RecordRefused("position")
    if abs(found.time - now) > fresh:
        raise RecordRefused("time")
    where = str(event.properties.get("slice", ""))
    return GpsPoint(found.appid, latitude, longitude, found.accuracy, found.time, where)


def _is_place(latitude: float, longitude: float) -> bool:
    """Say whether there can be a user; 0/0 is what a phone says that does not know."""
    known = math.isfinite(latitude) and math.isfinite(longitude) and (latitude, longitude) != (0.0, 0.0)
    return known and abs(latitude) <= _POLE and abs(longitude) <= _HALF_TURN


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
