"""Turns records into events, one record each or many to a body, and events into records."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.domain.delivery import Event, Refusal
from shared.feeds.records import Records

type _Ints = npt.NDArray[np.int64]
type _Body = tuple[bytes, int, str]  # as it travels, the records in it, how it is encoded


@dataclass(frozen=True, slots=True)
class Packing:
    """How a stream's records become events.

    limit: bytes of one event's body as it travels; a record that is larger than this by itself is refused.
    encoding: how a pack's body is compressed; a row is never compressed.
    """

    mode: Literal["row", "pack"] = "row"
    limit: int = 262_144
    encoding: Literal["identity", "zstd"] = "identity"


def as_events(
    records: Records, packing: Packing, *, contract: str, slice_id: str, partitions: int, block: int = 0
) -> tuple[list[Event], tuple[Refusal, ...]]:
    """Make the events of some records, and name the records that fit in none.

    `row`: one event a record, by its partition key. `pack`: newline-delimited records grouped by
    `crc32(key) % partitions`, sent to that partition, in the order of their stream within each group. A destination
    without partitions (`partitions` is 0) is one group. block: the number of the slice's block that the records are of.
    """
    kept, refusals = _within(records, packing)
    properties: dict[str, str | int] = {"contract": contract, "slice": slice_id}
    if packing.mode == "row":
        return _rows(kept, properties, block), refusals
    return _packs(kept, packing, properties, partitions, block), refusals


class BodyUnreadable(ValueError):
    """An event's body is not what its properties and its count of records say; the text says why."""


def lines_of(event: Event) -> list[bytes]:
    """Give the records of an event in their order, one line each without its end; raises BodyUnreadable."""
    lines = [line for line in _decoded(event).split(b"\n") if line.strip()]
    if len(lines) != event.rows:
        raise BodyUnreadable(f"an event of {event.rows} records has {len(lines)} lines")
    return lines


def _decoded(event: Event) -> bytes:
    if event.properties.get("encoding") != "zstd":
        return event.body
    try:
        with pa.input_stream(pa.BufferReader(event.body), compression="zstd") as stream:
            return bytes(stream.read())
    except (OSError, pa.ArrowInvalid) as error:
        raise BodyUnreadable(f"an event's body is no zstd: {error}") from error


def _within(records: Records, packing: Packing) -> tuple[Records, tuple[Refusal, ...]]:
    sizes = np.diff(_offsets(records.lines)) - (packing.mode == "row")
    over = np.flatnonzero(sizes > packing.limit)
    if not over.size:
        return records, ()
    fitting = pa.array(np.flatnonzero(sizes <= packing.limit))
    return Records(records.lines.take(fitting), records.keys.take(fitting)), _refusals(records, over, packing.limit)


def _refusals(records: Records, over: _Ints, limit: int) -> tuple[Refusal, ...]:
    named = tuple(_refusal(records, int(index), limit) for index in over[:_NAMED])
    rest = len(over) - len(named)
    return (*named, Refusal(rest, f"further records over the limit of {limit} bytes")) if rest else named


def _refusal(records: Records, index: int, limit: int) -> Refusal:
    line = records.lines[index].as_py()
    return Refusal(1, _too_large(line, str(records.keys[index].as_py()), limit))


def _too_large(line: bytes, key: str, limit: int) -> str:
    head = line[:_EXCERPT].decode("utf-8", "replace")
    return (
        f"a record of {len(line)} bytes (key {key[:_EXCERPT]!r}, it begins {head!r}) is over the limit of {limit} bytes"
        " for an event's body; raise the limit or shorten the record"
    )


def _rows(records: Records, properties: dict[str, str | int], block: int) -> list[Event]:
    keys = records.keys.dictionary.to_pylist()
    codes = records.keys.indices.to_pylist()
    return [
        Event(line.removesuffix(b"\n"), 1, properties, partition_key=keys[code], block=block)
        for line, code in zip(records.lines.to_pylist(), codes, strict=True)
    ]


def _packs(
    records: Records, packing: Packing, properties: dict[str, str | int], partitions: int, block: int
) -> list[Event]:
    return [
        Event(body, rows, {**properties, "rows": rows, "encoding": encoding}, partition_id=partition, block=block)
        for partition, lines in _grouped(records, partitions)
        for body, rows, encoding in _bodies(lines, packing)
    ]


def _grouped(records: Records, partitions: int) -> Iterator[tuple[str | None, pa.Array]]:
    """Yield (partition, its lines in order); lines are copied only where there is more than one partition."""
    if partitions == 0:
        yield None, records.lines
        return
    groups = _partition_of_each(records.keys, partitions)
    counts = np.bincount(groups, minlength=1)
    lines = records.lines
    if np.count_nonzero(counts) > 1:
        lines = lines.take(pa.array(np.argsort(groups, kind="stable")))
    starts = np.concatenate(([0], np.cumsum(counts)))
    for group in np.flatnonzero(counts):
        yield str(group), lines.slice(int(starts[group]), int(counts[group]))


def _partition_of_each(keys: pa.DictionaryArray, partitions: int) -> npt.NDArray[np.uint16]:
    of_key = [zlib.crc32(key.encode()) % partitions for key in keys.dictionary.to_pylist()]
    partition_of_code: npt.NDArray[np.uint16] = np.array(of_key, dtype=np.uint16)
    return partition_of_code[np.asarray(keys.indices)]


def _bodies(lines: pa.Array, packing: Packing) -> Iterator[_Body]:
    """Cut the lines along record boundaries."""
    offsets, data = _offsets(lines), lines.buffers()[2]
    zstd = pa.Codec("zstd", compression_level=_ZSTD_LEVEL) if packing.encoding == "zstd" else None
    for start, stop in _cuts(offsets, packing.limit * (_ZSTD_BOUND if zstd else 1)):
        if zstd is None:
            yield _between(data, offsets[start], offsets[stop]).to_pybytes(), stop - start, "identity"
        else:
            yield from _compressed(zstd, data, offsets[start : stop + 1], packing.limit)


def _cuts(offsets: _Ints, limit: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of records that are as long as `limit` bytes allow, and at least one record long."""
    start, last = 0, len(offsets) - 1
    while start < last:
        stop = int(np.searchsorted(offsets, offsets[start] + limit, side="right")) - 1
        stop = max(stop, start + 1)
        yield start, stop
        start = stop


def _compressed(codec: pa.Codec, data: pa.Buffer, offsets: _Ints, limit: int) -> Iterator[_Body]:
    """Compress lines into one body, or several where one is over the limit.

    A single record that compression makes too large travels as it is, for that way it fits.
    """
    rows = len(offsets) - 1
    raw = _between(data, offsets[0], offsets[-1])
    body = codec.compress(raw, asbytes=True)
    if len(body) <= limit:
        yield body, rows, "zstd"
    elif rows == 1:
        yield raw.to_pybytes(), rows, "identity"
    else:
        yield from _compressed(codec, data, offsets[: rows // 2 + 1], limit)
        yield from _compressed(codec, data, offsets[rows // 2 :], limit)


def _between(data: pa.Buffer, start: np.int64, stop: np.int64) -> pa.Buffer:
    return data.slice(int(start), int(stop - start))


def _offsets(lines: pa.Array) -> _Ints:
    """Give where each line begins in the array's data buffer, and where the last one ends."""
    width = np.int64 if pa.types.is_large_binary(lines.type) or pa.types.is_large_string(lines.type) else np.int32
    every: npt.NDArray[np.signedinteger] = np.frombuffer(lines.buffers()[1], dtype=width)
    return every[lines.offset : lines.offset + len(lines) + 1].astype(np.int64)


_NAMED = 19
_EXCERPT = 80
_ZSTD_LEVEL = 1
_ZSTD_BOUND = 3
