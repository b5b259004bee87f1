"""The spill: batches that a hub did not take in time, as blobs, and the queue that wakes those who redrive them."""

import contextlib
import json
import logging
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Protocol

from shared import telemetry
from shared.clients.storage.spill_metadata import batch_of, metadata_of
from shared.domain.spill import SpilledBatch, SpillState, is_batch_path, may_become, message_of, next_path
from shared.errors import LoginRefused, Unavailable

logger = logging.getLogger(__name__)

CONTAINER: Final = "spill"
QUEUE: Final = "spill"
DEAD_QUEUE: Final = "spill-dead"
LOCK_SECONDS: Final = 60

_MOST_RACES: Final = 20


class Spill(Protocol):
    """Batches by path; every verb raises Unavailable or LoginRefused. For any number of threads."""

    def keep(self, batch: SpilledBatch, content: bytes) -> SpilledBatch:
        """Write a batch's blob, and then the message that names it; nothing is kept unless both are written.

        A batch that is kept again, because the answer to a try was lost, is one. Where another one has its path, it is
        kept under the next number that is free; gives it as it is kept.
        """

    def batches(self, prefix: str = "", states: Collection[SpillState] = ()) -> list[SpilledBatch]:
        """Give the batches whose paths begin so, in the order of their paths; of these states, or of all.

        One whose metadata can't be read is dead, with that reason and no rows.
        """

    def batch(self, path: str) -> SpilledBatch | None:
        """Give one batch, None where there is none."""

    def read(self, path: str) -> bytes | None:
        """Give a batch's content as it is kept, None where it is gone."""

    def mark(self, batch: SpilledBatch) -> SpilledBatch | None:
        """Write what a batch is now (state, tries, reason, waits_for), and give it as it is then.

        It stays as it is where somebody else wrote a state meanwhile that may not become this one
        (`shared.domain.spill.may_become`); None where its blob is gone.
        """

    def remind(self, batch: SpilledBatch, delay: timedelta = timedelta()) -> None:
        """Write a message that names a batch, visible after `delay` (at most 7 days)."""

    def bury(self, batch: SpilledBatch) -> None:
        """Write a message that names a batch into the queue of dead ones, for people and their tools."""

    def lock(self, stream: str) -> AbstractContextManager["SpillLock | None"]:
        """Take the right to redrive a stream for the length of a block; None where another has it.

        A lock whose holder died is free again after 60 s.
        """

    def delete_older(self, before: datetime, states: Collection[SpillState], most: int) -> int:
        """Delete batches of these states that were last written before an instant; say how many, at most `most`."""

    def waiting_messages(self) -> tuple[int, int]:
        """Say about how many messages the queue holds, and the queue of dead ones."""


class SpillLock(Protocol):
    """The right to redrive one stream."""

    def renew(self) -> None:
        """Keep it for another 60 s; raises Unavailable where it was lost."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What storage says of a blob. etag: changes whenever the blob or its metadata are written."""

    path: str
    metadata: Mapping[str, str]
    written_at: datetime
    etag: str


class Blobs(Protocol):
    """Blobs with metadata and leases."""

    def add(self, path: str, content: bytes, metadata: Mapping[str, str]) -> bool:
        """Write a blob unless one is there; says whether it was written."""

    def read(self, path: str) -> bytes | None:
        """Give a blob's content, None where there is none."""

    def look(self, path: str) -> Blob | None:
        """Give what is known of a blob, None where there is none."""

    def listed(self, prefix: str) -> Sequence[Blob]:
        """Give the blobs whose paths begin so, by their paths."""

    def describe(self, blob: Blob, metadata: Mapping[str, str]) -> bool:
        """Replace a blob's metadata; says False where it was written since it was looked at, or is gone."""

    def delete(self, blob: Blob) -> bool:
        """Delete a blob; says False where it was written since it was looked at, or is gone."""

    def lease(self, path: str, lease: str) -> bool:
        """Take a lease of 60 s on a blob, or keep one that is held; says False where another holds it."""

    def release(self, path: str, lease: str) -> None:
        """Give a lease back; one that is held no more is left alone."""


class Queue(Protocol):
    """A queue of short texts that never expire."""

    def put(self, text: str, delay: timedelta = timedelta()) -> None:
        """Write a message, visible after `delay`."""

    def length(self) -> int:
        """Say about how many messages it holds."""


class StoredSpill:
    """The spill in a container and two queues."""

    def __init__(self, blobs: Blobs, queue: Queue, dead: Queue) -> None:
        """Keep the ways to them."""
        self._blobs = blobs
        self._queue = queue
        self._dead = dead

    def keep(self, batch: SpilledBatch, content: bytes) -> SpilledBatch:
        """Add the blob, write the message, and take the blob back where the message was refused."""
        kept = batch
        while not self._blobs.add(kept.path, content, metadata_of(kept)):
            there = self.batch(kept.path)
            if there is not None and there.sha256 == kept.sha256:
                break
            kept = replace(kept, path=next_path(kept.path))
        try:
            self.remind(kept)
        except (Unavailable, LoginRefused):
            self._take_back(kept)
            raise
        return kept

    def batches(self, prefix: str = "", states: Collection[SpillState] = ()) -> list[SpilledBatch]:
        """List with metadata, whatever their state, and keep those that are asked for."""
        found = map(_batch, self._blobs_of_batches(prefix))
        return [batch for batch in found if not states or batch.state in states]

    def batch(self, path: str) -> SpilledBatch | None:
        """Look at its blob."""
        blob = self._blobs.look(path) if is_batch_path(path) else None
        return None if blob is None else _batch(blob)

    def read(self, path: str) -> bytes | None:
        """Download it."""
        return self._blobs.read(path)

    def mark(self, batch: SpilledBatch) -> SpilledBatch | None:
        """Write the metadata under the blob's ETag, and look again on a race."""
        for _ in range(_MOST_RACES):
            blob = self._blobs.look(batch.path)
            if blob is None:
                return None
            there = _batch(blob)
            if not may_become(there.state, batch.state):
                return there
            if self._blobs.describe(blob, metadata_of(batch, blob.metadata)):
                return batch
        raise Unavailable(f"{batch.path} in the container {CONTAINER} is being written by others all the time.")

    def remind(self, batch: SpilledBatch, delay: timedelta = timedelta()) -> None:
        """Write the message."""
        self._queue.put(json.dumps(message_of(batch)), delay)

    def bury(self, batch: SpilledBatch) -> None:
        """Write the message into the other queue."""
        self._dead.put(json.dumps(message_of(batch)))

    @contextlib.contextmanager
    def lock(self, stream: str) -> Iterator["SpillLock | None"]:
        """Lease a blob of the stream that is no batch; where it can't be given back, its time runs out."""
        lock = _Lease(self._blobs, f"{stream}/.lock", str(uuid.uuid4()))
        if not lock.take():
            yield None
            return
        try:
            yield lock
        finally:
            lock.give_back()

    def delete_older(self, before: datetime, states: Collection[SpillState], most: int) -> int:
        """List, then delete one by one those that nobody wrote meanwhile."""
        old = (blob for blob in self._blobs_of_batches("") if blob.written_at < before and _batch(blob).state in states)
        return sum(self._blobs.delete(blob) for blob in islice(old, most))

    def waiting_messages(self) -> tuple[int, int]:
        """Ask both queues."""
        return self._queue.length(), self._dead.length()

    def _blobs_of_batches(self, prefix: str) -> Iterator[Blob]:
        return (blob for blob in self._blobs.listed(prefix) if is_batch_path(blob.path))

    def _take_back(self, batch: SpilledBatch) -> None:
        """Delete a batch without a message; where that fails, housekeeping finds it, and it is sent twice."""
        try:
            blob = self._blobs.look(batch.path)
            if blob is not None:
                self._blobs.delete(blob)
        except (Unavailable, LoginRefused) as failure:
            telemetry.warning(logger, "spill.not_taken_back", path=batch.path, cause=failure)


@dataclass(frozen=True, slots=True)
class _Lease:
    blobs: Blobs
    path: str
    name: str

    def take(self) -> bool:
        return self.blobs.lease(self.path, self.name)

    def renew(self) -> None:
        if not self.take():
            raise Unavailable(f"The lock {self.path} of the container {CONTAINER} was lost to another.")

    def give_back(self) -> None:
        with contextlib.suppress(Unavailable, LoginRefused):
            self.blobs.release(self.path, self.name)


def _batch(blob: Blob) -> SpilledBatch:
    return batch_of(blob.path, blob.metadata, blob.written_at)
