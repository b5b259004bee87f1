"""The columns of an exported file as the texts of JSON lines, by the kinds of its contract."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from lakehouse.streams.contract import Contract


class UnreadableExport(ValueError):
    """A file whose rows can't be read as records of its contract; says why, and tells no value."""


_ARROW: Final[Mapping[str, pa.DataType]] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.decimal128(38, 18),
    "boolean": pa.bool_(),
    "date-time": pa.timestamp("us", "UTC"),
}
"""As the app writes them. Data Factory's times bear no zone and are UTC, too."""


def columns_of(rows: pa.Table, contract: Contract) -> Iterator[tuple[str, str, pa.ChunkedArray]]:
    """Give name, kind and values of each column of a contract; raises UnreadableExport where the file has others."""
    optional = {one.name for one in contract.fields if not one.required}
    known, there = set(contract.columns), rows.column_names
    if not known - optional <= set(there) <= known or len(set(there)) < len(there):
        raise UnreadableExport(f"it has the columns {there}, and {contract.name} has {[*contract.columns]}")
    for one in contract.fields:
        if one.name in there:
            yield one.name, one.kind, _cast(rows[one.name], one.name, one.kind)


def _cast(values: pa.ChunkedArray, name: str, kind: str) -> pa.ChunkedArray:
    """Read a column in its contract's type, where no value becomes another one by that."""
    try:
        if kind == "number" and pa.types.is_floating(values.type):
            raise pa.ArrowInvalid("binary numbers are not exact")
        return values.cast(_ARROW[kind])
    except pa.ArrowException as error:
        raise UnreadableExport(f"it has {name} as {values.type}, which can't be read as {_ARROW[kind]}") from error


def _lines(write: Callable[[Any], str]) -> Callable[[str, Sequence[Any]], list[str]]:
    """Write a member of each record; of a null nothing."""

    def members(name: str, values: Sequence[Any]) -> list[str]:
        key = json.dumps(name)
        return ["" if value is None else f"{key}:{write(value)}" for value in values]

    return members


def _number(value: Decimal) -> str:
    return format(value, "f").rstrip("0").rstrip(".") if value else "0"


def _time(value: datetime) -> str:
    return f'"{value.replace(tzinfo=None).isoformat(timespec="microseconds")}Z"'


LINES_OF_KIND: Final[Mapping[str, Callable[[str, Sequence[Any]], list[str]]]] = {
    "string": _lines(lambda text: json.dumps(text, ensure_ascii=False)),
    "integer": _lines(str),
    "number": _lines(_number),
    "boolean": _lines(lambda flag: "true" if flag else "false"),
    "date-time": _lines(_time),
}
"""By the kind of a column, what writes `"<name>":<value>` of each of its values."""
