"""The content of a spilled batch: zstd NDJSON, one line an event, with the body in base64."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

import msgspec
import pyarrow as pa

from shared.domain.delivery import Event
from shared.domain.spill import VERSION, SpilledBatch
from shared.errors import SpoiltBatch

LARGEST_BATCH: Final = 4 * 1024 * 1024
"""Bytes of lines after which a batch ends; the line that reaches it is its last."""

_MOST_BYTES: Final = 64 * 1024 * 1024  # what is larger was not written here; a few bytes of zstd may unpack to anything
_LEVEL: Final = 1


class _Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    body: bytes
    rows: Annotated[int, msgspec.Meta(ge=0)]
    properties: dict[str, str | int]
    key: str | None = None
    partition: str | None = None


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Line)


class EncodedBatch(NamedTuple):
    """Some events as they are kept. sha256: of `content`, in hexadecimal."""

    content: bytes
    rows: int
    events: int
    sha256: str


def encode(events: Sequence[Event], largest: int = LARGEST_BATCH) -> Iterator[EncodedBatch]:
    """Give the events as batches of about `largest` bytes before their compression, in their order."""
    pending = _Pending()
    for event in events:
        pending.add(event)
        if len(pending.lines) >= largest:
            yield pending.encoded()
            pending = _Pending()
    if pending.events:
        yield pending.encoded()


def decode(batch: SpilledBatch, content: bytes) -> list[Event]:
    """Give a batch's events; raises SpoiltBatch where they are not exactly those that were kept."""
    if batch.version > VERSION:
        raise SpoiltBatch(f"A newer version of the app wrote it (version {batch.version}; this one reads {VERSION}).")
    if hashlib.sha256(content).hexdigest() != batch.sha256:
        raise SpoiltBatch("Its content was changed after it was spilled: it has another SHA-256 than it had.")
    try:
        events = [_event(line) for line in _DECODER.decode_lines(_decompressed(content))]
    except (msgspec.MsgspecError, pa.ArrowException, OSError, ValueError, RecursionError) as error:
        raise SpoiltBatch(f"Its content can't be read: {type(error).__name__} {error}") from error
    found = (len(events), sum(event.rows for event in events))
    if found != (batch.events, batch.rows):
        raise SpoiltBatch(f"It has {found[0]} events of {found[1]} records, not {batch.events} of {batch.rows}.")
    return events


@dataclass(slots=True)
class _Pending:
    lines: bytearray
    rows: int
    events: int

    def __init__(self) -> None:
        self.lines, self.rows, self.events = bytearray(), 0, 0

    def add(self, event: Event) -> None:
        line = _Line(event.body, event.rows, dict(event.properties), event.partition_key, event.partition_id)
        _ENCODER.encode_into(line, self.lines, -1)
        self.lines += b"\n"
        self.rows += event.rows
        self.events += 1

    def encoded(self) -> EncodedBatch:
        content = pa.Codec("zstd", compression_level=_LEVEL).compress(pa.py_buffer(self.lines), asbytes=True)
        return EncodedBatch(content, self.rows, self.events, hashlib.sha256(content).hexdigest())


def _event(line: _Line) -> Event:
    return Event(line.body, line.rows, line.properties, line.key, line.partition)


def _decompressed(content: bytes) -> bytes:
    with pa.input_stream(pa.py_buffer(content), compression="zstd") as stream:
        lines: bytes = stream.read(_MOST_BYTES + 1)
    if len(lines) > _MOST_BYTES:
        raise ValueError(f"it unpacks to more than {_MOST_BYTES} bytes")
    return lines
