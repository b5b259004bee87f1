"""Promotions as pushing reads them."""

from datetime import datetime
from typing import Annotated, Final

import msgspec

from shared.domain.delivery import HubRecordRefused

PROMOTIONS: Final = "promotions/1"


class PromotionNotice(msgspec.Struct):
    """A record of `promotions/1`, as far as a phone needs it."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    appid: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
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
