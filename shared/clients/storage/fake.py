"""Stand in for the ledgers and the containers of a storage account in tests; each raises `failure` where it is set."""

import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from shared.clients.storage.lake_files import LakeFiles, LakeFormat
from shared.clients.storage.runs import Change as RunChange
from shared.clients.storage.window_entities import window_key
from shared.clients.storage.windows import Change
from shared.contracts import Contract
from shared.domain.runs.run import RunRow, row_key
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.window import Slice, Window
from shared.errors import LoginRefused, Unavailable


class FakeLedger:
    """A ledger in memory, with the same races: everything happens under one lock."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self._windows: dict[tuple[str, str], WindowRow] = {}
        self._attempts: dict[tuple[str, int, int], SliceRow] = {}
        self._lock = threading.RLock()

    def claim(self, row: WindowRow) -> bool:
        _raise(self.failure)
        with self._lock:
            return self._windows.setdefault(window_key(row.window.id), row) is row

    def window(self, window_id: str) -> WindowRow | None:
        key = window_key(window_id)
        _raise(self.failure)
        return self._windows.get(key)

    def windows(self, feed: str, *, since: datetime | None = None, states: Iterable[str] = ()) -> list[WindowRow]:
        _raise(self.failure)
        wanted = set(states)
        rows = [row for key, row in sorted(self._windows.items()) if key[0] == feed]
        recent = [row for row in rows if since is None or row.window.start >= since]
        return [row for row in recent if not wanted or row.state in wanted]

    def change(self, window_id: str, change: Change) -> WindowRow | None:
        with self._lock:
            row = self.window(window_id)
            changed = change(row) if row else None
            if changed:
                self._windows[window_key(window_id)] = changed
            return changed or row

    def begin_attempt(self, part: Slice, now: datetime) -> SliceRow:
        with self._lock:
            taken = [key[2] for key in self._attempts if key[:2] == (part.window_id, part.number)]
            row = SliceRow(part, max(taken, default=0) + 1, "running", now, now)
            self.write_attempt(row)
            return row

    def write_attempt(self, row: SliceRow) -> None:
        _raise(self.failure)
        self._attempts[row.slice.window_id, row.slice.number, row.attempt] = replace(row)

    def attempts(self, window_id: str) -> list[SliceRow]:
        _raise(self.failure)
        return [row for key, row in sorted(self._attempts.items()) if key[0] == window_id]


class FakeRunLedger:
    """Runs in memory, with the same races."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self._rows: dict[tuple[str, str], RunRow] = {}
        self._lock = threading.Lock()

    def claim(self, row: RunRow) -> bool:
        _raise(self.failure)
        with self._lock:
            return self._rows.setdefault(row_key(row.window, row.number), row) is row

    def change(self, window: Window, number: int, change: RunChange) -> RunRow | None:
        _raise(self.failure)
        with self._lock:
            row = self._rows.get(row_key(window, number))
            changed = change(row) if row else None
            if changed:
                self._rows[row_key(window, number)] = replace(changed)
            return changed or row

    def of_window(self, window: Window) -> list[RunRow]:
        _raise(self.failure)
        wanted = (window.feed, window.start)
        rows = [row for row in self._rows.values() if (row.window.feed, row.window.start) == wanted]
        return sorted(rows, key=lambda row: row.number)

    def of_feed(self, feed: str) -> list[RunRow]:
        _raise(self.failure)
        rows = [row for row in self._rows.values() if row.window.feed == feed and not row.ended]
        return sorted(rows, key=lambda row: (row.window.start, row.number))


@dataclass(slots=True)
class FakeReference:
    """Blobs in memory, each with the instant at which it was written by `clock`."""

    clock: Callable[[], datetime]
    blobs: dict[str, tuple[datetime, bytes]] = field(default_factory=dict)
    failure: Exception | None = None

    def write(self, path: str, content: bytes) -> None:
        _raise(self.failure)
        self.blobs[path] = (self.clock(), content)

    def add(self, path: str, content: bytes) -> bool:
        _raise(self.failure)
        if path in self.blobs:
            return False
        self.write(path, content)
        return True

    def read(self, path: str) -> bytes | None:
        _raise(self.failure)
        return self.blobs[path][1] if path in self.blobs else None

    def newest(self, prefix: str) -> str | None:
        _raise(self.failure)
        paths = [path for path in self.blobs if path.startswith(prefix)]
        return max(paths, key=lambda path: (self.blobs[path][0], path), default=None)

    def delete_older(self, prefix: str, before: datetime) -> int:
        _raise(self.failure)
        old = [path for path, (written, _) in self.blobs.items() if path.startswith(prefix) and written < before]
        for path in old:
            del self.blobs[path]
        return len(old)


type _Failure = Literal["unavailable", "unknown", "unauthorized"]


@dataclass(slots=True)
class FakeLake:
    """Files by path, as the real lake has them; `fail_next` makes the next writes fail."""

    files: dict[str, bytes] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    failures: deque[_Failure] = field(default_factory=deque)

    def fail_next(self, failure: _Failure, writes: int = 1) -> None:
        """Let the next writes find no storage, be done without an answer, or be denied access."""
        self.failures.extend([failure] * writes)

    @contextlib.asynccontextmanager
    async def sender(self, contract: Contract, form: LakeFormat = "ndjson") -> AsyncIterator[LakeFiles]:
        yield LakeFiles("landing", contract, form, lambda path, attempt: _FakeFile(self, path, attempt))


@dataclass(slots=True)
class _FakeFile:
    lake: FakeLake
    path: str
    attempt: int
    content: bytes = b""
    may_be_written: bool = False

    def append(self, blocks: Sequence[bytes], tail: bytes = b"") -> None:
        failure = self.lake.failures.popleft() if self.lake.failures else None
        self.may_be_written = failure == "unknown"
        if failure == "unavailable":
            raise Unavailable("The container lake can't be reached.")
        if failure == "unauthorized":
            raise LoginRefused("The container lake denied access to the fake.")
        latest = self.lake.attempts.get(self.path, 0)
        if latest > self.attempt:
            raise Unavailable(f"attempt {latest} writes {self.path}, so attempt {self.attempt} may not.")
        whole = self.content + b"".join(blocks)
        self.lake.files[self.path], self.lake.attempts[self.path] = whole + tail, self.attempt
        if failure == "unknown":
            raise Unavailable("The container lake did not answer.")
        self.content = whole


def _raise(failure: Exception | None) -> None:
    if failure is not None:
        raise failure
