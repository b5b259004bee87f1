"""Points as promoting reads them, and what it asks of the stores near them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final, Protocol

import msgspec

from shared.domain.delivery import Event, HubRecordRefused
from shared.domain.promotions import Candidate


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


@dataclass(frozen=True, slots=True)
class MatchedPoints:
    """What is promoted near points, each user's in the order of the points.

    left_out: how many points can be near nothing, by reason.
    """

    candidates: Sequence[Candidate]
    left_out: Mapping[str, int] = field(default_factory=dict)


class PromotedPlaces(Protocol):
    """The stores and their promotions, as one version of the lookups has them."""

    def match(self, points: Sequence[GpsPoint]) -> MatchedPoints:
        """Give what is promoted near the points at their times."""

    def store(self, store_id: str) -> PromotedStore:
        """Give the store of a candidate."""


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


def read_point(line: bytes, event: Event, now: datetime, fresh: timedelta) -> GpsPoint:
    """Read a point; refused for one of `record`, `position` and `time`."""
    try:
        found = _LINES.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise HubRecordRefused("record") from None
    latitude, longitude = found.latitude, found.longitude
    if latitude is None or longitude is None or not _is_place(latitude, longitude):
        raise HubRecordRefused("position")
    if abs(found.time - now) > fresh:
        raise HubRecordRefused("time")
    where = str(event.properties.get("slice", ""))
    return GpsPoint(found.appid, latitude, longitude, found.accuracy, found.time, where)


def _is_place(latitude: float, longitude: float) -> bool:
    """Say whether there can be a user; 0/0 is what a phone says that does not know."""
    known = math.isfinite(latitude) and math.isfinite(longitude) and (latitude, longitude) != (0.0, 0.0)
    return known and abs(latitude) <= _POLE and abs(longitude) <= _HALF_TURN
