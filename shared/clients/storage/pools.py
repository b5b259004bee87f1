"""Keeps the pools that synthetic feeds draw from as Arrow IPC files: only the first start on a machine builds them."""

import logging
import os
import tempfile
import threading
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from shared import telemetry
from shared.feeds.payments.building import Progress, build
from shared.feeds.payments.feed import Payments
from shared.feeds.payments.pool import VERSION, Pool

logger = logging.getLogger(__name__)


class Pools(Protocol):
    """Where the feeds that draw from pools come from."""

    def payments(self) -> Payments:
        """Give the feed of payments; the same object at each call."""


class Builder(Protocol):
    """What makes a pool where none is kept."""

    def __call__(self, seed: int, *, progress: Progress) -> Pool:
        """Make the pool of this seed, telling what is drawn next."""


class FilePools:
    """Pools kept in a folder, one file for each version and seed; for any number of threads and processes."""

    def __init__(self, folder: Path, seed: int = 1, builder: Builder = build) -> None:
        """Use `folder`, which is made where it is missing; nothing is read before the first call."""
        self.path = folder / f"payments-v{VERSION}-s{seed}.arrow"
        self._seed = seed
        self._builder = builder
        self._lock = threading.Lock()
        self._payments: Payments | None = None

    def payments(self) -> Payments:
        """Read the pool in milliseconds, or build it in seconds where there is none or a damaged one."""
        with self._lock:
            if self._payments is None:
                self._payments = Payments(self._read() or self._build())
            return self._payments

    def _read(self) -> Pool | None:
        if not self.path.exists():
            return None
        try:
            return read_pool(self.path)
        except (ValueError, OSError) as error:  # pyarrow's own errors are kinds of these
            telemetry.warning(logger, "pools.damaged", path=self.path, reason=error)
            return None

    def _build(self) -> Pool:
        telemetry.info(logger, "pools.building", path=self.path, seed=self._seed)
        pool = self._builder(self._seed, progress=_report)
        try:
            write_pool(pool, self.path)
        except OSError as error:  # a read-only package: this process goes on with what it built
            telemetry.warning(logger, "pools.not_kept", path=self.path, reason=error)
        return pool


class FixedPools:
    """Stands in for `FilePools` in tests: gives what it was given."""

    def __init__(self, payments: Payments) -> None:
        """Keep the feed."""
        self._payments = payments

    def payments(self) -> Payments:
        """Give the feed."""
        return self._payments


def read_pool(path: Path) -> Pool:
    """Map a pool into memory; raises ValueError or OSError where the file is not what `write_pool` wrote."""
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    if reader.num_record_batches != 1:
        raise ValueError(f"a pool is one record batch, {path.name} has {reader.num_record_batches}")
    return Pool.from_batch(reader.get_batch(0))


def write_pool(pool: Pool, path: Path) -> None:
    """Write a pool beside its place, then move it there at once: a reader sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=path.name, suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            batch = pool.to_batch()
            with pa.ipc.new_file(file, batch.schema) as writer:
                writer.write_batch(batch)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _report(kind: str) -> None:
    telemetry.info(logger, "pools.drawing", kind=kind)
