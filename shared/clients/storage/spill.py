"""The spill: batches that a hub did not take in time, as blobs, and the queue that wakes those who redrive them."""

import contextlib
import json
import logging
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

from shared import telemetry
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.containers import container_of
from shared.clients.storage.leased_blobs import Blob, ContainerBlobs, LeasedBlobs
from shared.clients.storage.queues import Queue, QueuedMessage, queue_of
from shared.clients.storage.spill_metadata import batch_of, metadata_of
from shared.domain.spill import SpilledBatch, SpillState, is_batch_path, may_become, message_of, next_path
from shared.errors import LoginRefused, Unavailable

__all__ = [
    "CONTAINER",
    "DEAD_QUEUE",
    "POISON_QUEUE",
    "QUEUE",
    "QueuedMessage",
    "Spill",
    "SpillLock",
    "StoredSpill",
    "blob_spill",
]

logger = logging.getLogger(__name__)

CONTAINER: Final = "spill"
QUEUE: Final = "spill"
DEAD_QUEUE: Final = "spill-dead"
POISON_QUEUE: Final = "spill-poison"
"""Where the host puts a message of which the function died five times."""

_TIMEOUTS: Final = Timeouts(total=10.0, attempt=5.0, ordinary=Backoff(0.4, 2.0), throttled=Backoff(1.0, 4.0))
"""Short: a slice has waited for its hub already when it asks the spill."""

_MOST_RACES: Final = 20


class Spill(Protocol):
    """Batches by path; every verb raises Unavailable or LoginRefused. For any number of threads."""

    def prepare(self) -> None:
        """Make and reach all that `keep` needs, so that a first batch takes no longer than any; once is enough."""

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
        (`shared.domain.spill.may_become`), and where it would wait but this version can't read it. None where its blob
        is gone.
        """

    def remind(self, batch: SpilledBatch, delay: timedelta = timedelta(), tellings: int = 0) -> None:
        """Write a message that names a batch, visible after `delay` (at most 7 days).

        tellings: where it is there to tell of the batch's window, the how manieth one it is.
        """

    def note_first(self, stream: str, hub: str, path: str) -> None:
        """Note which batch of a stream waits first for a hub, empty for none; only who has the stream's lock may."""

    def noted_first(self, stream: str, hub: str) -> str | None:
        """Give the path that was noted last, None where none ever was. It may be out of date."""

    def bury(self, batch: SpilledBatch) -> None:
        """Write a message that names a batch into the queue of dead ones, for people and their tools."""

    def lock(self, stream: str) -> AbstractContextManager["SpillLock | None"]:
        """Take the right to redrive a stream for the length of a block; None where another has it.

        A lock whose holder died is free again after 60 s.
        """

    def delete(self, batch: SpilledBatch) -> bool:
        """Delete a batch; says False where it was written since it was listed or looked up, or is gone."""

    def waiting_messages(self) -> tuple[int, int]:
        """Say about how many messages the queue holds, and the queue of dead ones."""

    def poison(self, most: int) -> Sequence[QueuedMessage]:
        """Hand out messages (at most 32) of which the function died five times."""

    def forget(self, message: QueuedMessage) -> None:
        """Delete a message that `poison` handed out."""


class SpillLock(Protocol):
    """The right to redrive one stream."""

    def renew(self) -> None:
        """Keep it for another 60 s; raises Unavailable where it was lost."""


class StoredSpill:
    """The spill in a container and three queues."""

    def __init__(self, blobs: LeasedBlobs, queue: Queue, dead: Queue, poison: Queue) -> None:
        """Keep the ways to them."""
        self._blobs = blobs
        self._queue = queue
        self._dead = dead
        self._poison = poison
        self._is_prepared = False

    def prepare(self) -> None:
        """Make the container and the queue, which imports their SDKs and connects."""
        if not self._is_prepared:
            self._blobs.make()
            self._queue.make()
            self._is_prepared = True

    def keep(self, batch: SpilledBatch, content: bytes) -> SpilledBatch:
        """Add the blob, write the message; where that is refused, take back a blob that this call has added."""
        kept = batch
        while not (is_new := self._blobs.add(kept.path, content, metadata_of(kept))):
            there = self.batch(kept.path)
            if there is not None and (there.sha256, there.hub) == (kept.sha256, kept.hub):
                break
            kept = replace(kept, path=next_path(kept.path))
        try:
            self.remind(kept)
        except (Unavailable, LoginRefused):
            if is_new:
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
            if not _may_become(there, batch.state):
                return there
            if self._blobs.describe(blob, metadata_of(batch, blob.metadata)):
                return batch
        raise Unavailable(f"{batch.path} in the container {CONTAINER} is being written by others all the time.")

    def remind(self, batch: SpilledBatch, delay: timedelta = timedelta(), tellings: int = 0) -> None:
        """Write the message."""
        self._queue.put(json.dumps(message_of(batch, tellings)), delay)

    def note_first(self, stream: str, hub: str, path: str) -> None:
        """Write it into the metadata of a blob of the stream that is no batch."""
        metadata = {"path": path} if path else {}
        blob = self._blobs.look(_note_of(stream, hub))
        if blob is None:
            self._blobs.add(_note_of(stream, hub), b"", metadata)
        elif dict(blob.metadata) != metadata:
            self._blobs.describe(blob, metadata)

    def noted_first(self, stream: str, hub: str) -> str | None:
        """Look at that blob."""
        blob = self._blobs.look(_note_of(stream, hub))
        return None if blob is None else blob.metadata.get("path", "")

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

    def delete(self, batch: SpilledBatch) -> bool:
        """Look again, and delete under the ETag; what was written within the second has another state."""
        blob = self._blobs.look(batch.path)
        if blob is None or blob.written_at != batch.written_at or _batch(blob) != batch:
            return False
        return self._blobs.delete(blob)

    def waiting_messages(self) -> tuple[int, int]:
        """Ask both queues."""
        return self._queue.length(), self._dead.length()

    def poison(self, most: int) -> Sequence[QueuedMessage]:
        """Ask the host's queue."""
        return self._poison.take(most)

    def forget(self, message: QueuedMessage) -> None:
        """Delete it there."""
        self._poison.delete(message)

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
    blobs: LeasedBlobs
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


def _may_become(there: SpilledBatch, state: SpillState) -> bool:
    is_unsendable = state == "waiting" and there.state == "dead" and not there.is_readable
    return may_become(there.state, state) and not is_unsendable


def _note_of(stream: str, hub: str) -> str:
    return f"{stream}/.first.{hub}"


def _batch(blob: Blob) -> SpilledBatch:
    return batch_of(blob.path, blob.metadata, blob.written_at)


def blob_spill(blobs: Account, queues: Account, retry: RetryPolicy | None = None) -> StoredSpill:
    """Give the spill of an account, by the ways to its blobs and its queues.

    retry: how long each call is tried, ten seconds where not given.
    """
    retry = retry or RetryPolicy(_TIMEOUTS)
    three = (queue_of(name, queues, retry) for name in (QUEUE, DEAD_QUEUE, POISON_QUEUE))
    return StoredSpill(ContainerBlobs(container_of(CONTAINER, blobs, retry)), *three)
