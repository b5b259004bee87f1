"""Records of a stream as rows of its table: which columns its contract gives, and which values they can hold."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from functools import cache
from itertools import batched
from operator import itemgetter
from typing import Any, Final

from shared.clients.sql.columns import FRACTION_DIGITS, INTEGER_DIGITS, LONG, ColumnReader, Row, Value, text_of_time
from shared.contracts import Column, Contract
from shared.domain.delivery import Delivery, Event, Refusal
from shared.feeds.packing import BodyUnreadable, lines_of

_STEP: Final = Decimal(1).scaleb(-FRACTION_DIGITS)
_EXACT: Final = Context(prec=INTEGER_DIGITS + FRACTION_DIGITS)
_KEY_BYTES: Final = 900  # of a clustered key in SQL Server
_OTHER_KEY_BYTES: Final = 17  # of the largest key column that is no text, a decimal
_EXCERPT: Final = 80
_READ_AT_ONCE: Final = 500  # of which one that is not plain makes all be read one by one


class RecordRefused(ValueError):
    """A record that its table can't hold; the text names the column and the rule."""


@dataclass(frozen=True, slots=True)
class RowFormat:
    """Reads the records of a contract; key_length: the UTF-16 units that a text of the key may have."""

    contract: Contract
    key_length: int

    @classmethod
    def of(cls, contract: Contract) -> "RowFormat":
        """Share the bytes of a key in SQL Server among its columns."""
        texts = [column for column in contract.columns if column.name in contract.key and column.kind == "string"]
        others = len(contract.key) - len(texts)
        return cls(contract, (_KEY_BYTES - _OTHER_KEY_BYTES * others) // 2 // max(len(texts), 1))

    def keys_of(self, rows: Iterable[Row]) -> Iterable[tuple[Value, ...]]:
        """Give the values that identify each row."""
        names = [column.name for column in self.contract.columns]
        places = [names.index(name) for name in self.contract.key]
        return zip(*(map(itemgetter(place), rows) for place in places), strict=True)

    def row_of(self, line: bytes) -> Row:
        """Read one record; raises RecordRefused."""
        record = _json(line)
        unknown = record.keys() - {column.name for column in self.contract.columns}
        if unknown:
            raise RecordRefused(f"contract {self.contract.name} has no column {min(unknown)[:_EXCERPT]!r}")
        return tuple(self._value(column, record.get(column.name)) for column in self.contract.columns)

    def _value(self, column: Column, value: object) -> Value:
        if value is None:
            if column.required:
                raise RecordRefused(f"{column.name} is missing")
            return None
        try:
            read = _READERS[column.kind](value)
        except ValueError as error:
            raise RecordRefused(f"{column.name} {error}; it is {str(value)[:_EXCERPT]!r}") from error
        if column.name in self.contract.key and isinstance(read, str):
            self._require_key(column.name, read)
        return read

    def _require_key(self, name: str, text: str) -> None:
        if len(text.encode("utf-16-le")) // 2 > self.key_length:
            raise RecordRefused(f"{name} must have at most {self.key_length} characters, for it is of the key")
        if text.endswith(" "):
            raise RecordRefused(f"{name} must not end in a space, which a key in SQL Server does not tell from none")


def rows_of(events: Iterable[Event], row_format: RowFormat) -> tuple[list[Row], Delivery]:
    """Read the records of events in their order: the rows, and a delivery of what is refused."""
    lines: list[bytes] = []
    unreadable = Delivery()
    for event in events:
        try:
            lines.extend(lines_of(event))
        except BodyUnreadable as error:
            unreadable = unreadable + Delivery(refusals=(Refusal(event.rows, str(error)),))
    rows, refused = _read(lines, row_format)
    return rows, refused + unreadable


def _read(lines: Sequence[bytes], row_format: RowFormat) -> tuple[list[Row], Delivery]:
    reader, rows, refused = _column_reader(row_format), list[Row](), Delivery()
    for some in batched(lines, _READ_AT_ONCE, strict=False):
        try:
            rows.extend(reader.rows(some))
        except (ValueError, OverflowError, RecursionError):
            more, refusals = _read_one_by_one(some, row_format)
            rows.extend(more)
            refused = refused + Delivery(refusals=refusals)
    return rows, refused


def _read_one_by_one(lines: Iterable[bytes], row_format: RowFormat) -> tuple[list[Row], tuple[Refusal, ...]]:
    rows, refusals = list[Row](), list[Refusal]()
    for line in lines:
        try:
            rows.append(row_format.row_of(line))
        except RecordRefused as error:
            refusals.append(Refusal(1, str(error)))
    return rows, tuple(refusals)


@cache
def _column_reader(row_format: RowFormat) -> ColumnReader:
    return ColumnReader.of(row_format.contract, row_format.key_length)


def _json(line: bytes) -> Mapping[str, object]:
    try:
        record = json.loads(line, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RecordRefused(f"a record is no JSON: {line[:_EXCERPT]!r}") from error
    if not isinstance(record, dict):
        raise RecordRefused(f"a record is no JSON object: {line[:_EXCERPT]!r}")
    return record


def _no_number(constant: str) -> Any:  # noqa: ANN401 - as json asks it
    raise ValueError(f"{constant} is no JSON")


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    value.encode("utf-8")  # half a pair of surrogates can't be stored: a UnicodeEncodeError is a ValueError
    return value


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in LONG:
        raise ValueError("must be a whole number of 64 bits")
    return value


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")
    number = Decimal(value)
    if number and (number.adjusted() >= INTEGER_DIGITS or number.quantize(_STEP, context=_EXACT) != number):
        raise ValueError(f"must have at most {INTEGER_DIGITS} digits before the point and {FRACTION_DIGITS} behind it")
    return format(number, "f")


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _time(value: object) -> str:
    try:
        instant = datetime.fromisoformat(_string(value))
    except ValueError as error:
        raise ValueError("must be a date-time") from error
    try:
        return text_of_time(instant)
    except OverflowError as error:
        raise ValueError("must be a date-time") from error


_READERS: Final[Mapping[str, Callable[[object], Value]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date-time": _time,
}
