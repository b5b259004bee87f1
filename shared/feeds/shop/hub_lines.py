"""Views, stars and VIPs of the web shop as the alerting functions read them: as their contracts say."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec

from shared.domain.delivery import HubRecordRefused
from shared.domain.view_alerts import Star, View

type _Id = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", max_length=36)
]
type _User = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
type _Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _ViewLine(msgspec.Struct, forbid_unknown_fields=True):
    """A record of `pageviews/1`."""

    view_id: _Id
    viewed_at: _Instant
    user_id: _User
    http_method: Literal["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
    uri: Annotated[str, msgspec.Meta(max_length=200)]
    client_ip: Annotated[str, msgspec.Meta(max_length=45)]
    user_agent: Annotated[str, msgspec.Meta(max_length=400)]
    latency: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _StarLine(msgspec.Struct, forbid_unknown_fields=True):
    """A record of `stars/1`."""

    star_id: _Id
    starred_at: _Instant
    user_id: _User
    stars: Annotated[int, msgspec.Meta(ge=1, le=5)]


class _VipLine(msgspec.Struct):
    """A row of the lookup `vip_users`."""

    id: _User


_VIEWS: Final = msgspec.json.Decoder(_ViewLine)
_STARS: Final = msgspec.json.Decoder(_StarLine)
_VIPS: Final = msgspec.json.Decoder(_VipLine)


def read_view(line: bytes, now: datetime, fresh: timedelta) -> View:
    """Read a view; refused for one of `record` and `time`."""
    found = _decoded(_VIEWS, line)
    _refuse_far(found.viewed_at, now, fresh)
    return View(found.view_id, found.user_id, found.viewed_at, found.latency)


def read_star(line: bytes, now: datetime, fresh: timedelta) -> Star:
    """Read stars; refused for one of `record` and `time`."""
    found = _decoded(_STARS, line)
    _refuse_far(found.starred_at, now, fresh)
    return Star(found.star_id, found.user_id, found.starred_at, found.stars)


def read_vips(content: bytes) -> frozenset[int]:
    """Read the ids of a file of VIPs, JSON lines; raises ValueError where one is none."""
    try:
        return frozenset(one.id for one in _VIPS.decode_lines(content))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"a line is no VIP: {error}") from None


def _decoded[Line](decoder: msgspec.json.Decoder[Line], line: bytes) -> Line:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise HubRecordRefused("record") from None


def _refuse_far(at: datetime, now: datetime, fresh: timedelta) -> None:
    if abs(at - now) > fresh:
        raise HubRecordRefused("time")
