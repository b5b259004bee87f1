"""Opens events: one row a record, with its place in the pack; a pack that can't be opened stays whole and says why."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

LARGEST = 64 * 1024 * 1024
"""Bytes that a pack may open to; events themselves are at most 1 MiB."""

_OPENED = T.StructType(
    [
        T.StructField("window_id", T.StringType()),
        T.StructField("slice", T.StringType()),
        T.StructField("attempt", T.IntegerType()),
        T.StructField("partition", T.StringType()),
        T.StructField("sequence_number", T.LongType()),
        T.StructField("index", T.IntegerType()),
        T.StructField("rows", T.LongType()),
        T.StructField("failure", T.StringType()),
        T.StructField("body", T.BinaryType()),
    ]
)
_ARROW = pa.schema(
    [
        ("window_id", pa.string()),
        ("slice", pa.string()),
        ("attempt", pa.int32()),
        ("partition", pa.string()),
        ("sequence_number", pa.int64()),
        ("index", pa.int32()),
        ("rows", pa.int64()),
        ("failure", pa.string()),
        ("body", pa.binary()),
    ]
)


_SLICE_NUMBER, _ATTEMPT = r"/([^/.]+)[.]\d+$", r"[.](\d+)$"
"""Where a slice's number (or `close`) and the try's stand in the property `slice`."""


class Property(StrEnum):
    """The application properties of an event that are read: `contracts/documents/event_properties.v1.schema.json`."""

    CONTRACT = "contract"
    SLICE = "slice"
    ROWS = "rows"
    ENCODING = "encoding"


class BadPack(ValueError):
    """A body that can't be opened as its properties say."""


def opened(bronze: DataFrame, contract: str) -> DataFrame:
    """Give one row a record: where it came from, `rows` (1) and its `body`.

    An event that can't be opened, or is of another contract, gives one row with `failure`, its whole body, its
    `rows` property, and index -1. bronze: columns of `lakehouse.streams.bronze_schema`. contract: such as `trades/1`.
    """
    return bronze.select(*_labels(), _foreign(contract).alias("failure"), *_pack(), "body").mapInArrow(_open, _OPENED)


def lines_of(body: bytes, encoding: str, rows: int) -> list[bytes]:
    """Split a pack; raises BadPack where it can't be decoded or holds another number of records than it says."""
    lines = _decoded(body, encoding).removesuffix(b"\n").split(b"\n")
    if len(lines) != rows:
        raise BadPack(f"rows: the pack says {rows} and holds {len(lines)}")
    return lines


def records_of_event() -> Column:
    """Count the records of a bronze row by what the sender said: a pack's `rows`, else 1."""
    rows = _property(Property.ROWS).try_cast("bigint")
    return F.when(rows >= 0, rows).otherwise(F.lit(1).cast("bigint"))


def window_of_event() -> Column:
    """Give the window of a bronze row (`<window id>/<n>.<attempt>` in its property `slice`), or `unknown`."""
    window = F.nullif(F.substring_index(_property(Property.SLICE), "/", 1), F.lit(""))
    return F.coalesce(window, F.lit("unknown"))


def slice_of_event() -> Column:
    """Give the slice's number, or `close`; empty where the event names none."""
    return F.coalesce(F.regexp_extract(_property(Property.SLICE), _SLICE_NUMBER, 1), F.lit(""))


def attempt_of_event() -> Column:
    """Give the number of the try at the slice that sent a bronze row; 0 where the event names none."""
    return F.coalesce(F.regexp_extract(_property(Property.SLICE), _ATTEMPT, 1).try_cast("int"), F.lit(0))


def _property(name: Property) -> Column:
    return F.col("properties").getItem(name.value)


def _labels() -> list[Column]:
    return [
        window_of_event().alias("window_id"),
        slice_of_event().alias("slice"),
        attempt_of_event().alias("attempt"),
        F.col("partition"),
        F.col("sequence_number"),
    ]


def _pack() -> list[Column]:
    return [
        _property(Property.ROWS).isNotNull().alias("packed"),
        records_of_event().alias("rows"),
        F.coalesce(_property(Property.ENCODING), F.lit("identity")).alias("encoding"),
    ]


def _foreign(contract: str) -> Column:
    named = _property(Property.CONTRACT)
    return F.when(named != contract, F.concat(F.lit(f"contract: expected {contract}, found "), named))


def _open(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Open event by event, so that at most one pack beside the batch it came in is in memory."""
    for batch in batches:
        singles = pc.invert(batch["packed"])
        if (rows := batch.filter(singles)).num_rows:
            yield _as_they_are(rows)
        for event in batch.filter(batch["packed"]).to_pylist():
            yield _records(event)


def _as_they_are(rows: pa.RecordBatch) -> pa.RecordBatch:
    index = pc.if_else(rows["failure"].is_null(), 0, -1).cast(pa.int32())
    columns = {**{name: rows[name] for name in rows.schema.names}, "index": index}
    return pa.RecordBatch.from_arrays(
        [columns[name].cast(_ARROW.field(name).type) for name in _ARROW.names], _ARROW.names
    )


def _records(event: dict[str, Any]) -> pa.RecordBatch:
    try:
        lines = [] if event["failure"] else lines_of(event["body"], event["encoding"], event["rows"])
    except BadPack as error:
        event["failure"] = str(error)
    if event["failure"]:
        return pa.RecordBatch.from_pylist([{**event, "index": -1}], schema=_ARROW)
    return _columns(event, lines)


def _columns(event: dict[str, Any], lines: list[bytes]) -> pa.RecordBatch:
    size = len(lines)
    same = {**event, "rows": 1}
    whole = {"index": pa.array(range(size), pa.int32()), "body": pa.array(lines, pa.binary())}
    columns = [whole.get(name) for name in _ARROW.names]
    repeated = [pa.repeat(pa.scalar(same.get(field.name), field.type), size) for field in _ARROW]
    return pa.RecordBatch.from_arrays(
        [column if column is not None else again for column, again in zip(columns, repeated, strict=True)], _ARROW.names
    )


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return body
    if encoding != "zstd":
        raise BadPack(f"encoding: {encoding!r} is neither identity nor zstd")
    try:
        whole = bytes(pa.input_stream(pa.py_buffer(body), compression="zstd").read(LARGEST + 1))
    except (pa.ArrowException, OSError) as error:
        raise BadPack(f"the pack can't be decompressed: {error}") from error
    if len(whole) > LARGEST:
        raise BadPack(f"the pack opens to more than {LARGEST} bytes")
    return whole
