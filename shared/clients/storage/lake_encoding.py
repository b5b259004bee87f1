"""What files in the lake hold: the records of events as lines, or as columns of their contract."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from shared.contracts import Column, Contract
from shared.domain.delivery import Event, Refusal

type LakeFormat = Literal["ndjson", "parquet"]

_EXCERPT = 80
_FOOTER = (
    8  # a Parquet file ends with its footer, the footer's length in four bytes, and four bytes that name the format
)


class _Number(Decimal):
    """A number of JSON with all of its digits; msgspec alone would take one that is a text, too."""


# As the lakehouse keeps them: 20 digits before the point and 18 behind it.
_KINDS: Final[dict[str, tuple[Any, pa.DataType]]] = {
    "string": (str, pa.string()),
    "number": (_Number, pa.decimal128(38, 18)),
    "integer": (int, pa.int64()),
    "boolean": (bool, pa.bool_()),
    "date-time": (Annotated[datetime, msgspec.Meta(tz=True)], pa.timestamp("us", "UTC")),
}


@dataclass(frozen=True, slots=True)
class Lines:
    """The records of some events, one line each, and those that can't be read; `events` are the ones with lines."""

    lines: tuple[bytes, ...]
    events: int
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Ndjson:
    """A file of lines, so far; it keeps nothing of what was added."""

    def add(self, lines: Sequence[bytes]) -> "Added":
        """Add lines as they are, with all the digits of their numbers."""
        return Added(self, len(lines), b"".join(line + b"\n" for line in lines), b"", ())


@dataclass(frozen=True, slots=True)
class Parquet:
    """A Parquet file so far: its row groups, and how many bytes lie before its footer.

    The whole file is encoded again at each addition, of which only what is new is written: it is for streams of which a
    slice has some hundred thousand records, not millions.
    """

    contract: Contract
    groups: tuple[pa.Table, ...] = ()
    size: int = 0

    def add(self, lines: Sequence[bytes]) -> "Added":
        """Add a row group of the lines that fit the contract's columns."""
        table, refusals = _table(lines, self.contract)
        if not table.num_rows:
            return Added(self, 0, b"", b"", refusals)
        groups = (*self.groups, table)
        file = _file(groups)
        end = len(file) - _FOOTER - int.from_bytes(file[-_FOOTER : -_FOOTER // 2], "little")
        then = replace(self, groups=groups, size=end)
        return Added(then, table.num_rows, file[self.size : end], file[end:], refusals)


@dataclass(frozen=True, slots=True)
class Added:
    """A file after an addition: `block` is what is new in it, `tail` what ends it until the next one."""

    file: "Ndjson | Parquet"
    rows: int
    block: bytes
    tail: bytes
    refusals: tuple[Refusal, ...]


def new_file(contract: Contract, form: LakeFormat) -> Ndjson | Parquet:
    """Begin a file."""
    return Ndjson() if form == "ndjson" else Parquet(contract)


def parquet_of(rows: Sequence[Sequence[Any]], contract: Contract) -> bytes:
    """Write rows, one at least, as a Parquet file: values in the order of the contract's columns, of Python's types."""
    schema = _schema(contract)
    columns = zip(*rows, strict=True)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return _file([pa.Table.from_arrays(arrays, schema=schema)])


def lines_of(events: Iterable[Event]) -> Lines:
    """Open the events; one whose body is not as its properties say is refused whole, a record that is no JSON alone."""
    lines: list[bytes] = []
    refusals: list[Refusal] = []
    opened = 0
    for event in events:
        before = len(lines)
        try:
            _read(_opened(event), lines, refusals)
        except ValueError as error:
            refusals.append(Refusal(event.rows, f"an event of {len(event.body)} bytes can't be read: {error}"))
        opened += len(lines) > before
    return Lines(tuple(lines), opened, tuple(refusals))


def _opened(event: Event) -> list[bytes]:
    encoding = event.properties.get("encoding", "identity")
    if encoding not in {"identity", "zstd"}:
        raise ValueError(f"its encoding is {encoding!r}")
    body = _decompressed(event.body) if encoding == "zstd" else event.body
    lines = body.removesuffix(b"\n").split(b"\n")
    if len(lines) != event.rows:
        raise ValueError(f"it says that it has {event.rows} records, and has {len(lines)}")
    return lines


def _decompressed(body: bytes) -> bytes:
    try:
        content: bytes = pa.CompressedInputStream(pa.BufferReader(body), "zstd").read()
    except OSError as error:
        raise ValueError(f"it is not zstd: {error}") from error
    return content


def _read(opened: Sequence[bytes], lines: list[bytes], refusals: list[Refusal]) -> None:
    for line in opened:
        try:
            _OBJECT.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            refusals.append(_refusal(line, f"it is not one JSON object: {error}"))
        else:
            lines.append(line)


def _refusal(line: bytes, reason: str) -> Refusal:
    return Refusal(1, f"a record that begins {line[:_EXCERPT].decode('utf-8', 'replace')!r} was refused: {reason}")


def _table(lines: Sequence[bytes], contract: Contract) -> tuple[pa.Table, tuple[Refusal, ...]]:
    records, refusals = _decoded(lines, contract)
    try:
        return _columns(records.values(), contract), tuple(refusals)
    except _MISFITS:  # pyarrow does not say which of them
        fitting = [record for number, record in records.items() if _fits(lines[number], record, contract, refusals)]
        return _columns(fitting, contract), tuple(refusals)


def _decoded(lines: Sequence[bytes], contract: Contract) -> tuple[dict[int, Any], list[Refusal]]:
    records: dict[int, Any] = {}
    refusals: list[Refusal] = []
    for number, line in enumerate(lines):
        try:
            records[number] = _decoder(contract).decode(line)
        except msgspec.ValidationError as error:
            refusals.append(_refusal(line, str(error)))
    return records, refusals


def _fits(line: bytes, record: object, contract: Contract, refusals: list[Refusal]) -> bool:
    try:
        _columns([record], contract)
    except _MISFITS as error:
        refusals.append(_refusal(line, str(error)))
        return False
    return True


def _columns(records: Iterable[object], contract: Contract) -> pa.Table:
    rows = list(records)
    schema = _schema(contract)
    arrays = [pa.array([getattr(row, column.name) for row in rows], column.type) for column in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _file(groups: Iterable[pa.Table]) -> bytes:
    sink = pa.BufferOutputStream()
    first, *others = groups
    with pq.ParquetWriter(sink, first.schema, compression="zstd") as writer:
        for group in (first, *others):
            writer.write_table(group, row_group_size=max(group.num_rows, 1))
    content: bytes = sink.getvalue().to_pybytes()
    return content


@cache
def _schema(contract: Contract) -> pa.Schema:
    return pa.schema(
        [pa.field(column.name, _KINDS[column.kind][1], nullable=not column.required) for column in contract.columns]
    )


@cache
def _decoder(contract: Contract) -> msgspec.json.Decoder[Any]:
    """Make what reads one record strictly: each column of its kind, none missing that is required, none beside them."""
    in_order = sorted(contract.columns, key=lambda column: not column.required)
    record = msgspec.defstruct("Record", [_field(column) for column in in_order], forbid_unknown_fields=True)
    return msgspec.json.Decoder(record, dec_hook=_number, float_hook=Decimal)


def _number(_: type, value: object) -> Decimal:
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return _Number(value)
    raise ValueError(f"Expected a number, got {type(value).__name__}")


def _field(column: Column) -> tuple[str, Any] | tuple[str, Any, Any]:
    kind = _KINDS[column.kind][0]
    return (column.name, kind) if column.required else (column.name, kind | None, None)


_OBJECT = msgspec.json.Decoder(dict[str, Any])
_MISFITS = (pa.ArrowException, ValueError, OverflowError)
