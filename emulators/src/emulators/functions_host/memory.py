"""Small facts that outlive the host, by name, in the state file: keys, and when each timer last ran."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulators.functions_host.errors import AppRefused

_LOCK_SECONDS = 6.0


class Memory:
    """A mapping of strings in one SQLite table; each write is a commit of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.commit()

    def get(self, name: str) -> str | None:
        """Give the value of `name`, or None."""
        row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def put(self, name: str, value: str) -> None:
        """Set `name` to `value`."""
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
        self._connection.commit()

    def setdefault(self, name: str, value: str) -> str:
        """Give the value of `name`, setting it to `value` first where there is none."""
        self._connection.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value))
        self._connection.commit()
        return self.get(name) or value


def connect(state: Path) -> sqlite3.Connection:
    """Open the state file so that what is committed survives the process being killed (WAL, synchronous=NORMAL)."""
    state.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(state, timeout=10, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def hold(state: Path) -> int:
    """Take the state file for this process until it ends, so that no two hosts work off one task hub.

    A host that has lost its supervisor may take a moment to end. Raises AppRefused when another still runs after 6 s.
    """
    state.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(f"{state}.lock", os.O_CREAT | os.O_RDWR)
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise AppRefused(f"the state file {state} is in use by another host: stop that one first") from None
            time.sleep(0.1)
        else:
            return lock


@contextmanager
def open_memory(state: Path) -> Iterator[Memory]:
    """Open the facts in `state` for a moment."""
    connection = connect(state)
    try:
        yield Memory(connection)
    finally:
        connection.close()
