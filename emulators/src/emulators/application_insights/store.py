"""The rows that are kept: a file of JSON lines a table, and the newest rows of each in memory."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from emulators.application_insights.columns import TABLES

MOST_ROWS: Final = 20_000


class Table:
    """The newest `most` rows of one table. Its file holds those too, and up to as many older ones."""

    def __init__(self, path: Path, most: int) -> None:
        """Read what an earlier start left; a line that its end cut short is dropped."""
        self._path, self._most = path, most
        self._lines = deque(_whole_lines(path), maxlen=most)
        self._appended = 0
        self._rewrite()

    def __len__(self) -> int:
        """Count the rows that are kept."""
        return len(self._lines)

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Keep rows, and write them before this returns."""
        lines = [msgspec.json.encode(row) for row in rows]
        self._lines.extend(lines)
        self._appended += len(lines)
        if self._appended > self._most:
            self._rewrite()
            return
        with self._path.open("ab") as file:
            file.writelines(line + b"\n" for line in lines)

    def lines(self) -> list[bytes]:
        """Give the rows as JSON, the oldest first."""
        return list(self._lines)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give the rows, the oldest first."""
        return (msgspec.json.decode(line) for line in self.lines())

    def _rewrite(self) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.writelines(line + b"\n" for line in self._lines)
        fresh.replace(self._path)
        self._appended = 0


class Store:
    """All tables, in a folder: `<Table>.jsonl`."""

    def __init__(self, folder: Path, most_rows: int = MOST_ROWS) -> None:
        """Open the tables. most_rows: how many rows of each are kept."""
        folder.mkdir(parents=True, exist_ok=True)
        self.most_rows = most_rows
        self.tables = {name: Table(folder / f"{name}.jsonl", most_rows) for name in TABLES}

    def add(self, rows: list[tuple[str, dict[str, Any]]]) -> None:
        """Keep rows, each with the name of its table."""
        for name, table in self.tables.items():
            if mine := [row for of, row in rows if of == name]:
                table.add(mine)

    def counts(self) -> dict[str, int]:
        """Count the rows that are kept of each table."""
        return {name: len(table) for name, table in self.tables.items()}


def _whole_lines(path: Path) -> list[bytes]:
    if not path.exists():
        return []
    return [line[:-1] for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
