"""The runs of a workspace, in memory and in a SQLite file, so that they outlive the service."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from emulators.databricks.lifecycle import Run

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (run_id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, run_id INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ids (last INTEGER NOT NULL);
INSERT INTO ids SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM ids);
"""


class Records:
    """Every run that is not deleted, and every idempotency token ever used."""

    def __init__(self, path: Path) -> None:
        """Open or make the file at `path` and read what it holds."""
        self._file = sqlite3.connect(path)
        self._file.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA}")
        rows = self._file.execute("SELECT body FROM runs ORDER BY run_id")
        found = [msgspec.json.decode(body, type=Run) for (body,) in rows]
        self._runs = {run.run_id: run for run in found}

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def all(self) -> Iterator[Run]:
        """Give every run, the newest first."""
        return iter(sorted(self._runs.values(), key=lambda run: -run.run_id))

    def of_job(self, job_id: int) -> list[Run]:
        """Give the runs of one job."""
        return [run for run in self._runs.values() if run.job_id == job_id]

    def get(self, run_id: int) -> Run | None:
        """Give a run by its id; None where there is none."""
        return self._runs.get(run_id)

    def __getitem__(self, run_id: int) -> Run:
        """Give a run that is known to be there."""
        return self._runs[run_id]

    def token_owner(self, token: str) -> int | None:
        """Tell which run a token made, be it deleted or not."""
        row = self._file.execute("SELECT run_id FROM tokens WHERE token = ?", (token,)).fetchone()
        return int(row[0]) if row else None

    def new_ids(self, count: int) -> range:
        """Take ids that no run or task has had."""
        with self._file:
            (last,) = self._file.execute("UPDATE ids SET last = last + ? RETURNING last", (count,)).fetchone()
        return range(last - count + 1, last + 1)

    def add(self, run: Run) -> None:
        """Keep a new run together with its token."""
        with self._file:
            self._write(run)
            if run.token is not None:
                self._file.execute("INSERT INTO tokens VALUES (?, ?)", (run.token, run.run_id))
        self._runs[run.run_id] = run

    def change(self, run_id: int, step: Callable[[Run], Run]) -> Run:
        """Take a run one step on, keep and return it."""
        run = step(self._runs[run_id])
        with self._file:
            self._write(run)
        self._runs[run_id] = run
        return run

    def delete(self, run_id: int) -> None:
        """Forget a run; its token stays taken."""
        with self._file:
            self._file.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))
        del self._runs[run_id]

    def _write(self, run: Run) -> None:
        self._file.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", (run.run_id, msgspec.json.encode(run)))
