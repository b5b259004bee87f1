"""Stand in for the ledgers and the containers of a storage account in tests; each raises `failure` where it is set."""

import contextlib
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.clients.storage.lake_files import LakeFiles, LakeFormat
from shared.clients.storage.runs import TableRunLedger
from shared.clients.storage.tables import MOST_TOGETHER, Entity, Key, Query
from shared.clients.storage.windows import TableLedger
from shared.contracts import Contract
from shared.errors import LoginRefused, Unavailable

_LONGEST_COLUMN = 32_768
_LARGEST_ROW = 1024 * 1024


class FakeTables:
    """Tables in memory, with the same races: everything happens under one lock. `failure` is raised by every verb."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self._rows: defaultdict[str, dict[Key, Entity]] = defaultdict(dict)
        self._lock = threading.RLock()

    def insert(self, table: str, entity: Entity) -> bool:
        _raise(self.failure)
        with self._lock:
            key = _key(entity)
            if key in self._rows[table]:
                return False
            self._rows[table][key] = _stored(entity)
            return True

    def insert_together(self, table: str, entities: Sequence[Entity]) -> bool:
        _raise(self.failure)
        rows = {_key(entity): _stored(entity) for entity in entities}
        if not 0 < len(rows) == len(entities) <= MOST_TOGETHER or len({partition for partition, _ in rows}) > 1:
            raise Unavailable("The ledger answered 400 (InvalidDuplicateRow).")
        with self._lock:
            if rows.keys() & self._rows[table].keys():
                return False
            self._rows[table].update(rows)
            return True

    def read(self, table: str, key: Key) -> Entity | None:
        _raise(self.failure)
        return self._rows[table].get(key)

    def query(self, table: str, query: Query, most: int | None = None) -> list[Entity]:
        _raise(self.failure)
        with self._lock:
            keys = sorted(key for key, row in self._rows[table].items() if _is_found(query, key, row))
            return [self._rows[table][key] for key in keys[:most]]

    def upsert(self, table: str, entity: Entity) -> None:
        _raise(self.failure)
        self._rows[table][_key(entity)] = _stored(entity)

    def change(self, table: str, key: Key, change: Callable[[Entity], Entity | None]) -> Entity | None:
        with self._lock:
            entity = self.read(table, key)
            changed = change(entity) if entity else None
            if changed:
                self.upsert(table, changed)
            return changed or entity

    def delete(self, table: str, keys: Iterable[Key]) -> None:
        _raise(self.failure)
        with self._lock:
            for key in list(keys):
                self._rows[table].pop(key, None)

    def remove(self, table: str, key: Key, when: Callable[[Entity], bool]) -> bool:
        with self._lock:
            entity = self.read(table, key)
            if entity is None or not when(entity):
                return False
            self.delete(table, [key])
            return True


class _OverFakeTables:
    """Fails where its tables fail."""

    tables: FakeTables

    @property
    def failure(self) -> Exception | None:
        return self.tables.failure

    @failure.setter
    def failure(self, failure: Exception | None) -> None:
        self.tables.failure = failure


class FakeLedger(_OverFakeTables, TableLedger):
    """A ledger in memory: its rows are written to entities and read from them as the real one's are."""

    def __init__(self) -> None:
        self.tables = FakeTables()
        super().__init__(self.tables)


class FakeRunLedger(_OverFakeTables, TableRunLedger):
    """Runs in memory, written and read as the real ones are."""

    def __init__(self) -> None:
        self.tables = FakeTables()
        super().__init__(self.tables)


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

    def has(self, path: str) -> bool:
        _raise(self.failure)
        return path in self.blobs

    def newest(self, prefix: str) -> str | None:
        _raise(self.failure)
        paths = [path for path in self.blobs if path.startswith(prefix)]
        return max(paths, key=lambda path: (self.blobs[path][0], path), default=None)

    def delete(self, path: str) -> bool:
        _raise(self.failure)
        return self.blobs.pop(path, None) is not None

    def delete_older(self, prefix: str, before: datetime, most: int | None = None, *, keep: str | None = None) -> int:
        _raise(self.failure)
        paths = sorted(path for path in self.blobs if path.startswith(prefix) and path != keep)
        old = [path for path in paths if self.blobs[path][0] < before][:most]
        return sum(self.delete(path) for path in old)


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


@dataclass(slots=True)
class FakeDrawnFiles:
    """Reference data in memory; after `fail_after` further writes all of them fail, as where storage went away."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    aside: defaultdict[str, dict[tuple[str, int], bytes]] = field(default_factory=lambda: defaultdict(dict))
    fail_after: int | None = None

    def edition(self, path: str) -> str:
        return self.files.get(path, ("", b""))[0]

    def editions(self, folder: str) -> dict[str, str]:
        return {path: edition for path, (edition, _) in self.files.items() if path.startswith(folder)}

    def staged(self, path: str, edition: str) -> frozenset[int]:
        return frozenset(number for found, number in self.aside[path] if found == edition)

    def stage(self, path: str, edition: str, number: int, block: bytes) -> None:
        self._count_write()
        self.aside[path][edition, number] = block

    def read(self, path: str) -> bytes | None:
        return self.files[path][1] if path in self.files else None

    def commit(self, path: str, edition: str, blocks: int) -> None:
        self._count_write()
        aside = self.aside.pop(path, {})
        missing = [number for number in range(blocks) if (edition, number) not in aside]
        if missing:
            raise Unavailable("The container lake answered 400 (InvalidBlockList).")
        self.files[path] = edition, b"".join(aside[edition, number] for number in range(blocks))

    def write(self, path: str, edition: str, content: bytes) -> None:
        self._count_write()
        self.files[path] = edition, content

    def _count_write(self) -> None:
        if self.fail_after is None:
            return
        if self.fail_after == 0:
            raise Unavailable("The container lake can't be reached.")
        self.fail_after -= 1


def _raise(failure: Exception | None) -> None:
    if failure is not None:
        raise failure


def _key(entity: Entity) -> Key:
    return entity["PartitionKey"], entity["RowKey"]


def _stored(entity: Entity) -> Entity:
    """Keep a row that the service would take: no such characters in its keys, no longer text, no larger row."""
    texts = [value for value in entity.values() if isinstance(value, str)]
    wrong_key = any(character in "/\\#?" for part in _key(entity) for character in part)
    if wrong_key or max(map(len, texts)) > _LONGEST_COLUMN or 2 * sum(map(len, texts)) > _LARGEST_ROW:
        raise Unavailable("The ledger answered 400 (Bad Request).")
    return dict(entity)


def _is_found(query: Query, key: Key, row: Entity) -> bool:
    in_range = query.first <= key[1] and (not query.before or key[1] < query.before)
    in_partition = query.partition in (None, key[0])
    is_below = all(name in row and row[name] < most for name, most in query.below.items())
    is_one_of = all(row.get(name) in values for name, values in query.columns.items())
    return in_partition and in_range and is_below and is_one_of
