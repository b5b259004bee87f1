"""What a drawn feed draws from: named columns, which one Arrow record batch can hold."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

type PoolColumn = pa.Array | np.ndarray
"""Integers as a numpy array, texts and bytes as an Arrow array."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Columns by name, each of its own length; `version` is that of the feed that built them.

    What is in them is shown nowhere: it may be people's names.
    """

    version: int
    columns: Mapping[str, PoolColumn] = field(repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """Name the content: 32 hexadecimal digits that differ as soon as one byte of the pool does."""
        digest = hashlib.sha256(str(self.version).encode())
        for name, column in self.columns.items():
            values = _as_arrow(column)
            digest.update(f"{name}:{values.type}:{len(values)}".encode())
            for part in _content(values):
                digest.update(part)
        return digest.hexdigest()[:32]

    def to_bytes(self) -> bytes:
        """Write the pool as an Arrow IPC file: one row of lists, version and fingerprint in the schema's metadata."""
        batch = pa.RecordBatch.from_pydict({name: _one_row(_as_arrow(each)) for name, each in self.columns.items()})
        metadata = {"version": str(self.version), "fingerprint": self.fingerprint}
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, batch.schema.with_metadata(metadata)) as writer:
            writer.write_batch(batch)
        content: bytes = sink.getvalue().to_pybytes()
        return content

    @classmethod
    def from_buffer(cls, content: pa.Buffer) -> "Pool":
        """Read what `to_bytes` wrote, without copying; raises ValueError where the content is not what was written."""
        reader = pa.ipc.open_file(content)
        if reader.num_record_batches != 1:
            raise ValueError(f"a pool is one record batch, here are {reader.num_record_batches}")
        metadata = reader.schema.metadata or {}
        pool = cls(int(metadata.get(b"version", b"0")), dict(_columns(reader.get_batch(0))))
        written = metadata.get(b"fingerprint", b"").decode()
        if pool.fingerprint != written:
            raise ValueError(f"the pool's content has fingerprint {pool.fingerprint}, it was written as {written!r}")
        return pool


def _columns(batch: pa.RecordBatch) -> Iterator[tuple[str, PoolColumn]]:
    for name in batch.schema.names:
        values = batch.column(batch.schema.get_field_index(name)).flatten()
        yield name, values.to_numpy(zero_copy_only=True) if pa.types.is_integer(values.type) else values


def _as_arrow(column: PoolColumn) -> pa.Array:
    return column if isinstance(column, pa.Array) else pa.array(column)


def _one_row(values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)


def _content(values: pa.Array) -> tuple[np.ndarray, ...]:
    """Give the bytes that count; what pads a buffer differs between a fresh array and one read from a file."""
    if pa.types.is_integer(values.type):
        return (np.ascontiguousarray(values.to_numpy()),)
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[: len(values) + 1]
    return ends, np.frombuffer(data, np.uint8)[: ends[-1]]
