"""What every venue's adapter reads alike: number literals, instants, and frames that can't be read."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from shared.trades.venues.readings import Unreadable

TradeId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]

READ_ERRORS: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""All that decoding hostile bytes may raise; tests draw arbitrary bytes to hold this."""

_EXCERPT = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIME = 253_402_300_800
_NUMBER = msgspec.json.Decoder(float).decode


def number_literal(text: str) -> str:
    """Give the text back where it is a JSON number above zero, digit for digit; raises ValueError where it is not."""
    try:
        if _NUMBER(text) > 0 and text.isprintable() and " " not in text:
            return text
    except msgspec.MsgspecError as error:
        raise ValueError(f"{text[:_EXCERPT]!r} is not a JSON number") from error
    raise ValueError(f"{text[:_EXCERPT]!r} is not a JSON number above zero")


def raw_number(raw: msgspec.Raw) -> str:
    """Give a JSON number's own literal; raises ValueError where the value is no number above zero."""
    return number_literal(str(raw, "utf-8"))


def microseconds(instant: datetime) -> int:
    """Give the microseconds from the Unix epoch to an aware instant, exactly (cheaper than dividing timedeltas)."""
    since = instant - _EPOCH
    return since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds


def nanoseconds(seconds: msgspec.Raw) -> int:
    """Read a JSON number of seconds since the Unix epoch as nanoseconds, exactly; raises ValueError for any other."""
    literal = raw_number(seconds)
    exact = Decimal(literal)
    if exact >= _END_OF_TIME:
        raise ValueError(f"{literal[:_EXCERPT]!r} is no time in seconds before the year 10000")
    return int(exact.scaleb(9))


def unreadable(frame: bytes | str, reason: object) -> Unreadable:
    """Keep the first 200 characters of a frame that can't be read, and why."""
    head = frame[:_EXCERPT]
    text = head if isinstance(head, str) else head.decode("utf-8", "replace")
    return Unreadable(text, str(reason))
