"""Stands in for the spill in tests: blobs, leases and queues in memory, whose time is that of a clock."""

import itertools
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.clients.storage.leased_blobs import LEASE_SECONDS, Blob
from shared.clients.storage.queues import MOST_BYTES
from shared.clients.storage.spill import StoredSpill
from shared.errors import ServiceRefused

_LONGEST_DELAY = timedelta(days=7)


@dataclass(slots=True)
class FakeBlob:
    """A blob as it is kept; a test may write its content or metadata by hand."""

    content: bytes
    metadata: dict[str, str]
    written_at: datetime
    etag: str = ""
    lease: str = ""
    leased_until: datetime | None = None


@dataclass(slots=True)
class FakeMessage:
    """A message of a queue. visible_at: nobody is given it before. dequeued: how often it was handed out."""

    id: int
    text: str
    visible_at: datetime
    dequeued: int = 0

    def document(self) -> dict[str, Any]:
        """Read it as a trigger does."""
        document: dict[str, Any] = json.loads(self.text)
        return document


@dataclass(slots=True)
class FakeBlobs:
    """Blobs by path. `failure` is raised by every verb."""

    clock: Callable[[], datetime]
    blobs: dict[str, FakeBlob] = field(default_factory=dict)
    failure: Exception | None = None
    _etags: "itertools.count[int]" = field(default_factory=itertools.count)
    _lock: Any = field(default_factory=threading.RLock)

    def make(self) -> None:
        self._check()

    def add(self, path: str, content: bytes, metadata: Mapping[str, str]) -> bool:
        with self._lock:
            self._check(metadata)
            if path in self.blobs:
                return False
            self.blobs[path] = FakeBlob(content, dict(metadata), self.clock(), str(next(self._etags)))
            return True

    def read(self, path: str) -> bytes | None:
        self._check()
        return self.blobs[path].content if path in self.blobs else None

    def look(self, path: str) -> Blob | None:
        self._check()
        blob = self.blobs.get(path)
        return None if blob is None else Blob(path, dict(blob.metadata), blob.written_at, blob.etag)

    def listed(self, prefix: str) -> Sequence[Blob]:
        self._check()
        found = (self.look(path) for path in sorted(self.blobs) if path.startswith(prefix))
        return [blob for blob in found if blob is not None]

    def describe(self, blob: Blob, metadata: Mapping[str, str]) -> bool:
        with self._lock:
            self._check(metadata)
            there = self._unchanged(blob)
            if there is not None:
                there.metadata, there.written_at = dict(metadata), self.clock()
                there.etag = str(next(self._etags))
            return there is not None

    def delete(self, blob: Blob) -> bool:
        with self._lock:
            self._check()
            return self._unchanged(blob) is not None and self.blobs.pop(blob.path, None) is not None

    def lease(self, path: str, lease: str) -> bool:
        with self._lock:
            self.add(path, b"", {})
            blob, now = self.blobs[path], self.clock()
            if blob.lease != lease and blob.leased_until is not None and now < blob.leased_until:
                return False
            blob.lease, blob.leased_until = lease, now + timedelta(seconds=LEASE_SECONDS)
            return True

    def release(self, path: str, lease: str) -> None:
        self._check()
        if path in self.blobs and self.blobs[path].lease == lease:
            self.blobs[path].leased_until = None

    def _unchanged(self, blob: Blob) -> FakeBlob | None:
        there = self.blobs.get(blob.path)
        return there if there is not None and there.etag == blob.etag else None

    def _check(self, metadata: Mapping[str, str] | None = None) -> None:
        if self.failure is not None:
            raise self.failure
        for name, value in (metadata or {}).items():
            if not (name.isidentifier() and value.isascii() and value == value.strip()):
                raise ServiceRefused("The container spill answered 400 (InvalidMetadata).")


@dataclass(slots=True)
class FakeQueue:
    """Messages in the order of their writing.

    `failure` is raised by every verb. `most`: a queue with so many messages refuses the next one. `losing`: so many of
    the next messages are taken and lost.
    """

    clock: Callable[[], datetime]
    messages: list[FakeMessage] = field(default_factory=list)
    failure: Exception | None = None
    most: int | None = None
    losing: int = 0
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    def make(self) -> None:
        self._check()

    def put(self, text: str, delay: timedelta = timedelta()) -> None:
        self._check()
        if len(text.encode()) > MOST_BYTES or not timedelta() <= delay <= _LONGEST_DELAY:
            raise ServiceRefused("The queue spill answered 400 (OutOfRangeInput).")
        if self.most is not None and len(self.messages) >= self.most:
            raise ServiceRefused("The queue spill answered 403 (QueueFull).")
        if self.losing:
            self.losing -= 1
            return
        self.messages.append(FakeMessage(next(self._ids), text, self.clock() + delay))

    def length(self) -> int:
        self._check()
        return len(self.messages)

    def receive(self, most: int = 1, hidden: timedelta = timedelta(seconds=30)) -> list[FakeMessage]:
        """Hand out visible messages, which nobody else is given for a while."""
        self._check()
        due = [message for message in self.messages if message.visible_at <= self.clock()][:most]
        for message in due:
            message.visible_at, message.dequeued = self.clock() + hidden, message.dequeued + 1
        return due

    def delete(self, message: FakeMessage) -> None:
        """Take a message out, as a host does when its function returned."""
        self._check()
        self.messages.remove(message)

    def documents(self) -> list[dict[str, Any]]:
        """Give what all messages say, visible or not."""
        return [message.document() for message in self.messages]

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure


class FakeSpill(StoredSpill):
    """The spill in memory; `blobs`, `queue` and `dead` are its parts, for a test to look at and to break.

    `failure` is raised by every verb, `queue_failure` only where a queue is asked.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.blobs = FakeBlobs(clock)
        self.queue = FakeQueue(clock)
        self.dead = FakeQueue(clock)
        super().__init__(self.blobs, self.queue, self.dead)

    @property
    def failure(self) -> Exception | None:
        return self.blobs.failure

    @failure.setter
    def failure(self, failure: Exception | None) -> None:
        self.blobs.failure = failure
        self.queue_failure = failure

    @property
    def queue_failure(self) -> Exception | None:
        return self.queue.failure

    @queue_failure.setter
    def queue_failure(self, failure: Exception | None) -> None:
        self.queue.failure = self.dead.failure = failure
