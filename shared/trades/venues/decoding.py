"""What every venue's adapter reads alike: number literals, instants, and frames that can't be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from shared.trades.venues.readings import Rejected, Traded, Unreadable
from shared.trades.venues.trade import Trade

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


@dataclass(frozen=True, slots=True)
class RowReader[Row]:
    """Reads a list of trades: all at once where that is possible, else row by row, so that an odd one costs itself.

    rows: reads the whole list. row: reads one. identify: gives id, time (microseconds) and symbol
    (empty where rows have none) of a row that `row` can't read; raises where they are not to be read either.
    """

    rows: Callable[[bytes | msgspec.Raw], list[Row]]
    row: Callable[[msgspec.Raw], Row]
    identify: Callable[[msgspec.Raw], tuple[int, int, str]]

    def read(
        self, content: bytes | msgspec.Raw, make: Callable[[Row], Trade]
    ) -> tuple[list[Trade], tuple[Rejected, ...]]:
        """Give the trades, in their order, and the rows that can't be taken.

        Raises ValueError where it is no list, or no row of it can so much as be identified.
        """
        try:
            return [make(row) for row in self.rows(content)], ()
        except READ_ERRORS as error:
            return self._one_by_one(content, make, error)

    def _one_by_one(
        self, content: bytes | msgspec.Raw, make: Callable[[Row], Trade], problem: BaseException
    ) -> tuple[list[Trade], tuple[Rejected, ...]]:
        trades, rejected = [], []
        for raw in _pieces(content, problem):
            try:
                trades.append(make(self.row(raw)))
            except READ_ERRORS as error:
                rejected.append(self.reject(raw, error))
        if not trades and all(one.trade_id is None for one in rejected):
            raise ValueError(f"not a page of trades: {problem}") from problem
        return trades, tuple(rejected)

    def reject(self, raw: msgspec.Raw, reason: object) -> Rejected:
        """Make of a row what is counted and sampled."""
        excerpt = bytes(raw)[:_EXCERPT].decode("utf-8", "replace")
        try:
            return Rejected(excerpt, str(reason), *self.identify(raw))
        except READ_ERRORS:
            return Rejected(excerpt, str(reason))


_PIECES = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _pieces(content: bytes | msgspec.Raw, problem: BaseException) -> list[msgspec.Raw]:
    try:
        return _PIECES(content)
    except READ_ERRORS:
        raise ValueError(f"not a page of trades: {problem}") from problem


def first_id(trades: Sequence[Trade], rejected: Sequence[Rejected]) -> int | None:
    """Give the lowest id of a page, None where it has none."""
    ids = [trade.trade_id for trade in trades] + [one.trade_id for one in rejected if one.trade_id is not None]
    return min(ids, default=None)


def odd_trade(frame: bytes | str, reason: object, symbol: str, trade_id: int, timestamp: int) -> Traded:
    """Make the reading of a frame whose one trade is known but can't be taken."""
    excerpt = unreadable(frame, reason)
    return Traded((), (Rejected(excerpt.excerpt, excerpt.reason, trade_id, timestamp, symbol),))


def unreadable(frame: bytes | str, reason: object) -> Unreadable:
    """Keep the first 200 characters of a frame that can't be read, and why."""
    head = frame[:_EXCERPT]
    text = head if isinstance(head, str) else head.decode("utf-8", "replace")
    return Unreadable(text, str(reason))
