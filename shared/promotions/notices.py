"""Promotions as pushing reads them, and what it tells of each."""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from shared.domain.delivery import HubRecordRefused

PROMOTIONS: Final = "promotions/1"
DELIVERIES: Final = "deliveries/1"


class PromotionNotice(msgspec.Struct):
    """A record of `promotions/1`, as far as a phone needs it."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    appid: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    store_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    point_time: Annotated[datetime, msgspec.Meta(tz=True)]
    discount_percent: int
    location: str
    merchant: str
    valid_until: Annotated[datetime, msgspec.Meta(tz=True)]


_LINES: Final = msgspec.json.Decoder(PromotionNotice)


def read_notice(line: bytes) -> PromotionNotice:
    """Read a line; refused as `record`."""
    try:
        return _LINES.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise HubRecordRefused("record") from None


def write_delivery(promotion: PromotionNotice, outcome: str, at: datetime) -> bytes:
    """Write the record of `deliveries/1` of a promotion that was settled then."""
    record = {
        "id": promotion.id,
        "appid": promotion.appid,
        "store_id": promotion.store_id,
        "point_time": promotion.point_time.astimezone(UTC),
        "outcome": outcome,
        "settled_at": at.astimezone(UTC),
    }
    return msgspec.json.encode(record)
