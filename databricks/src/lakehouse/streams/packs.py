"""Opens events: one row a record, with its place in the pack; a pack that can't be opened stays whole and says why."""

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import batched
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.tables import columns
from lakehouse.streams.events import (
    LARGEST,
    LONGEST_QUOTE,
    Property,
    attempt_of_event,
    fault_of_event,
    property_of,
    records_of_event,
    slice_of_event,
    window_of_event,
)

_OPENED = columns(
    "window_id string, slice string, attempt integer, epoch string, partition string, sequence_number long, "
    "index integer, hub string, rows long, failure string, body binary"
)
_ARROW = pa.schema(
    [
        ("window_id", pa.string()),
        ("slice", pa.string()),
        ("attempt", pa.int32()),
        ("epoch", pa.string()),
        ("partition", pa.string()),
        ("sequence_number", pa.int64()),
        ("index", pa.int32()),
        ("hub", pa.string()),
        ("rows", pa.int64()),
        ("failure", pa.string()),
        ("body", pa.binary()),
    ]
)
_AT_ONCE = 10_000
"""Records that are handed to Spark at once: a small pack may open to millions of empty lines."""


class BadPack(ValueError):
    """A body that can't be opened as its properties say."""


def opened(bronze: DataFrame, feed: str, known: Sequence[str]) -> DataFrame:
    """Give one row a record: where it came from, `rows` (1) and its `body`.

    An event that can't be opened gives one row with `failure`, its whole body, what its `rows` counts for, and index
    -1. bronze: columns of `lakehouse.streams.bronze_schema`. known: the contracts that may be named, as `trades/1`.
    """
    return bronze.select(*_of_event(feed, tuple(known))).mapInArrow(_open, _OPENED)


def lines_of(body: bytes, encoding: str, rows: int) -> Iterator[bytes]:
    """Split a pack; raises BadPack where it can't be decoded or holds another number of records than it says."""
    decoded = _decoded(body, encoding)
    found = decoded.count(b"\n") + (1 if decoded and not decoded.endswith(b"\n") else 0)
    if found != rows:
        raise BadPack(f"rows: the pack says {rows} and holds {found}")
    return (line.removesuffix(b"\n") for line in io.BytesIO(decoded))


@lru_cache(maxsize=64)
def _of_event(feed: str, known: tuple[str, ...]) -> list[Column]:
    """Build the expressions of a feed's events once a process."""
    return [*_labels(feed), fault_of_event(feed, known).alias("failure"), *_pack(), F.col("body")]


def _labels(feed: str) -> list[Column]:
    return [
        window_of_event(feed).alias("window_id"),
        slice_of_event(feed).alias("slice"),
        attempt_of_event(feed).alias("attempt"),
        F.coalesce("epoch", F.lit("")).alias("epoch"),
        F.col("partition"),
        F.col("sequence_number"),
        F.coalesce("hub", F.lit("")).alias("hub"),
    ]


def _pack() -> list[Column]:
    return [
        property_of(Property.ROWS).isNotNull().alias("packed"),
        records_of_event().alias("rows"),
        F.coalesce(property_of(Property.ENCODING), F.lit("identity")).alias("encoding"),
    ]


def _open(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Open event by event, so that at most one pack beside the batch it came in is in memory."""
    for batch in batches:
        singles = pc.invert(batch["packed"])
        if (rows := batch.filter(singles)).num_rows:
            yield _as_they_are(rows)
        for event in batch.filter(batch["packed"]).to_pylist():
            yield from _records(event)


def _as_they_are(rows: pa.RecordBatch) -> pa.RecordBatch:
    index = pc.if_else(rows["failure"].is_null(), 0, -1).cast(pa.int32())
    there = {**{name: rows[name] for name in rows.schema.names}, "index": index}
    return pa.RecordBatch.from_arrays(
        [there[name].cast(_ARROW.field(name).type) for name in _ARROW.names], _ARROW.names
    )


def _records(event: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    try:
        lines = iter(()) if event["failure"] else lines_of(event["body"], event["encoding"], event["rows"])
    except BadPack as error:
        event["failure"] = str(error)
    if event["failure"]:
        yield pa.RecordBatch.from_pylist([{**event, "index": -1}], schema=_ARROW)
        return
    for number, part in enumerate(batched(lines, _AT_ONCE)):
        yield _columns(event, part, number * _AT_ONCE)


def _columns(event: dict[str, Any], lines: Sequence[bytes], first: int) -> pa.RecordBatch:
    size = len(lines)
    same = {**event, "rows": 1}
    whole = {"index": pa.array(range(first, first + size), pa.int32()), "body": pa.array(lines, pa.binary())}
    filled = [
        whole[field.name] if field.name in whole else pa.repeat(pa.scalar(same.get(field.name), field.type), size)
        for field in _ARROW
    ]
    return pa.RecordBatch.from_arrays(filled, _ARROW.names)


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return body
    if encoding != "zstd":
        raise BadPack(f"encoding: {encoding[:LONGEST_QUOTE]!r} is neither identity nor zstd")
    try:
        whole = bytes(pa.input_stream(pa.py_buffer(body), compression="zstd").read(LARGEST + 1))
    except (pa.ArrowException, OSError) as error:
        raise BadPack(f"the pack can't be decompressed: {str(error)[:LONGEST_QUOTE]}") from error
    if len(whole) > LARGEST:
        raise BadPack(f"the pack opens to more than {LARGEST} bytes")
    return whole
