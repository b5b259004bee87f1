"""From points to promotions: users near a store are sent what it promotes, within the rules, at least once.

What a user is given is written before it is sent. A batch whose worker dies in between comes again, and the same
points are given the same promotions again, under the same ids (`shared.domain.promotions`): nothing is lost, a repeat
is known by its id, and the state alone decides, so that any number of instances keep the cap.
"""

import contextlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.storage.promotion_users import PromotionUser, SingleUsers
from shared.domain.delivery import Delivery, Event, HubRecordRefused
from shared.domain.instants import utc_text
from shared.domain.promotions import Candidate, Decision, Rules, by_user, decide, event_id
from shared.errors import CorruptRow, IngestionError
from shared.feeds.gps.text_lines import CONTRACT as TEXT_LINES
from shared.feeds.gps.text_lines import read_text_line
from shared.flows.hub_records import read_records
from shared.promotions.notices import PROMOTIONS
from shared.promotions.points import GpsPoint, PromotedPlaces, PromotedStore, read_point

logger = logging.getLogger(__name__)

POINTS: Final = "gps/1"
SIDE_BY_SIDE: Final = 16
"""So many users are read and written at once."""


@dataclass(frozen=True, slots=True)
class PromotionTools:
    """What promoting needs of the world.

    places: gives the newest lookups; raises Unavailable where there are none. send: delivers to the hub of promotions,
    as a `Sender` does. connect: begins to connect to that hub, and does not wait. fresh: how far from now a point's
    time may be, before and after.
    """

    places: Callable[[], PromotedPlaces]
    users: SingleUsers
    send: Callable[[Sequence[Event]], Delivery]
    connect: Callable[[], None]
    rules: Rules
    fresh: timedelta
    clock: Callable[[], datetime]


@dataclass(slots=True)
class _Deciding:
    """The candidates of one user, and what becomes of them; `decision` is None where the user's row can't be read.

    before: what was given until then is of no matter.
    """

    candidates: Sequence[Candidate]
    rules: Rules
    before: datetime
    decision: Decision | None = None

    @property
    def appid(self) -> str:
        return self.candidates[0].appid

    def begin(self) -> PromotionUser:
        """Decide about a user of whom nothing is known."""
        return self.change(PromotionUser())

    def change(self, user: PromotionUser) -> PromotionUser:
        """Decide; when it is asked again, the last time counts."""
        self.decision = decide(self.candidates, user.given.since(self.before), self.rules)
        return PromotionUser(self.decision.given, user.gone_at) if self.decision.given != user.given else user


def warm_up(tools: PromotionTools) -> None:
    """Make ready what the first batch would wait for; what fails here is tried again, and told, by a batch."""
    tools.connect()
    with contextlib.suppress(IngestionError):
        tools.places()


def promote(tools: PromotionTools, events: Sequence[Event]) -> Mapping[str, int]:
    """Promote for the points of a batch; gives what became of them by count.

    Raises Unavailable or LoginRefused where the batch must come again.
    """
    tools.connect()
    now = tools.clock()
    readers = {
        POINTS: lambda line, event: read_point(line, event, now, tools.fresh),
        TEXT_LINES: lambda line, event: read_point(_as_record(line, event), event, now, tools.fresh),
    }
    read = read_records(events, readers)
    places = tools.places()
    matched = places.match(read.records)
    ended = [one for one in matched.candidates if one.valid_until <= now]
    decided = _decide_all(tools, [one for one in matched.candidates if one.valid_until > now], now)
    promoted = [one for each in decided if each.decision for one in each.decision.promoted]
    delivery = tools.send(_events(promoted, places, read.records, now))
    counts = _counts(len(read.records), decided, ended, delivery) | _passed_over(
        read.refused + Counter(matched.left_out)
    )
    telemetry.info(logger, "promotions.decided", **counts)
    return counts


def _as_record(line: bytes, event: Event) -> bytes:
    """Make a record of gps/1 of a text line, whose time is that at which the hub took it; refused as `record`."""
    record = read_text_line(line, event.at) if event.at else None
    if record is None:
        raise HubRecordRefused("record")
    return record


def _decide_all(tools: PromotionTools, candidates: Iterable[Candidate], now: datetime) -> list[_Deciding]:
    """Decide about all users; those of whom nothing is known are written together, in a fraction of the time."""
    before = now - tools.fresh - tools.rules.memory
    users = {appid: _Deciding(some, tools.rules, before) for appid, some in by_user(candidates).items()}
    begun = tools.users.begin(users, lambda appid: users[appid].begin())
    others = [one for appid, one in users.items() if appid not in begun]
    asked = [one for one in others if not tools.users.keeps(one.appid, one.change)]
    telemetry.in_threads(lambda one: _ask(tools.users, one), asked, most=SIDE_BY_SIDE)
    return [*users.values()]


def _ask(users: SingleUsers, deciding: _Deciding) -> None:
    try:
        users.change(deciding.appid, deciding.change)
    except CorruptRow as error:
        telemetry.warning(logger, "promotions.user_unreadable", cause=error)
        deciding.decision = None


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
        "point_time": utc_text(promoted.at, "microseconds"),
        "promoted_at": utc_text(now, "microseconds"),
        "valid_until": utc_text(promoted.valid_until, "microseconds"),
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _counts(
    points: int, decided: Sequence[_Deciding], ended: Sequence[Candidate], delivery: Delivery
) -> dict[str, int]:
    """Count candidates: matched = promoted + suppressed by either + ended + those of unreadable users."""
    decisions = [one.decision for one in decided if one.decision]
    return {
        "points": points,
        "matched": sum(len(one.candidates) for one in decided) + len(ended),
        "promoted": sum(len(one.promoted) for one in decisions),
        "suppressed_by_cap": sum(len(one.suppressed_by_cap) for one in decisions),
        "suppressed_by_cool_down": sum(len(one.suppressed_by_cool_down) for one in decisions),
        "ended": len(ended),
        "unreadable_users": sum(len(one.candidates) for one in decided if one.decision is None),
        "sent": delivery.accepted,
        "refused_by_hub": delivery.refused,
    }


def _passed_over(refused: Counter[str]) -> dict[str, int]:
    return {f"passed_over_{reason}": count for reason, count in sorted(refused.items())}
