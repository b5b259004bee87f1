"""The entities that payments are drawn from, as columns that one Arrow record batch can hold."""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import pyarrow as pa

VERSION = 1
"""To be raised by whoever changes what the builder makes: a cached pool of another version is not read."""

ACCOUNT = np.dtype([("home", "<u2"), ("wallet", "<u2"), ("tenure", "<u2"), ("country", "u1"), ("card", "u1")])
"""What an account keeps, in one word of memory: codes, and 1 for `card` where it pays by card."""


@dataclass(frozen=True, eq=False)
class Pool:
    """All that decides which payments are drawn; made by `building.build`.

    fragments: `pa.BinaryArray` of runs of JSON. bases: int32[kinds], the first fragment of each kind; those of a
    place's BILLING and HOME lie side by side, two numbers a place. accounts: uint64[accounts] to be viewed as
    `ACCOUNT`, most active first. country_currency: int32[countries]. country_slots: uint8 country codes repeated by
    share. address_first, address_count: int32[2 x countries], the addresses of country c outside (2c) and behind (2c +
    1) a proxy. address_key: uint8[addresses], code of the partition key in `keys`. check_slots: uint8, the first cart
    of a security check, repeated by share, the blank check last. cart_slots: uint8 codes repeated by share. zones: the
    countries' time zones.
    """

    fragments: pa.BinaryArray
    bases: np.ndarray
    accounts: np.ndarray
    country_currency: np.ndarray
    country_slots: np.ndarray
    address_first: np.ndarray
    address_count: np.ndarray
    address_key: np.ndarray
    check_slots: np.ndarray
    cart_slots: np.ndarray
    keys: pa.StringArray
    zones: pa.StringArray

    @cached_property
    def fingerprint(self) -> str:
        """Name the content: 32 hexadecimal digits that differ as soon as one byte of the pool does."""
        digest = hashlib.sha256(str(VERSION).encode())
        for column in fields(self):
            _digest_column(digest, column.name, _as_arrow(getattr(self, column.name)))
        return digest.hexdigest()[:32]

    def to_batch(self) -> pa.RecordBatch:
        """Give the pool as one row of lists (they differ in length), its fingerprint in the schema's metadata."""
        columns = {column.name: _one_row(_as_arrow(getattr(self, column.name))) for column in fields(self)}
        batch = pa.RecordBatch.from_pydict(columns)
        return batch.replace_schema_metadata({"fingerprint": self.fingerprint})

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch) -> "Pool":
        """Read what `to_batch` gave, without copying; raises ValueError where the content is not what was written."""
        pool = cls(**{column.name: _from_row(batch, column.name) for column in fields(cls)})
        written = (batch.schema.metadata or {}).get(b"fingerprint", b"").decode()
        if pool.fingerprint != written:
            raise ValueError(f"the pool's content has fingerprint {pool.fingerprint}, it was written as {written!r}")
        return pool


def _as_arrow(column: pa.Array | np.ndarray) -> pa.Array:
    return column if isinstance(column, pa.Array) else pa.array(column)


def _one_row(values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)


def _from_row(batch: pa.RecordBatch, name: str) -> pa.Array | np.ndarray:
    index = batch.schema.get_field_index(name)
    if index < 0:
        raise ValueError(f"the pool has no column {name!r}")
    values = batch.column(index).flatten()
    return values.to_numpy(zero_copy_only=True) if pa.types.is_integer(values.type) else values


def _digest_column(digest: "hashlib._Hash", name: str, values: pa.Array) -> None:
    digest.update(f"{name}:{values.type}:{len(values)}".encode())
    for part in _content(values):
        digest.update(part)


def _content(values: pa.Array) -> tuple[np.ndarray, ...]:
    """Give the bytes that count; what pads a buffer differs between a fresh array and one read from a file."""
    if pa.types.is_integer(values.type):
        return (np.ascontiguousarray(values.to_numpy()),)
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[: len(values) + 1]
    return ends, np.frombuffer(data, np.uint8)[: ends[-1]]
