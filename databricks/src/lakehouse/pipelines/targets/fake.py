"""A target in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyspark.sql import Row
from pyspark.sql import functions as F

from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import NewRows, Rewritten, RowsOfKeys
from lakehouse.pipelines.table import Table

type Key = tuple[Any, ...]


@dataclass
class FakeTarget:
    """Keeps rows by key. fails: raised by the next write, which then has done nothing."""

    fails: Exception | None = None
    writes: list[tuple[str, str]] = field(default_factory=list)
    _rows: dict[str, dict[Key, Row]] = field(default_factory=dict)
    _progress: dict[str, Progress] = field(default_factory=dict)

    def progress(self, table: Table) -> Progress | None:
        return self._progress.get(table.name)

    def write(self, table: Table, rewritten: Rewritten, progress: Progress) -> None:
        if self.fails is not None:
            failure, self.fails = self.fails, None
            raise failure
        rows = self._keyed(table, rewritten)
        self._rows[table.name] = {**self._kept(table, rewritten), **rows}
        self._progress[table.name] = progress
        self.writes.append((table.name, type(rewritten).__name__))

    def rows(self, table: Table) -> list[Row]:
        return list(self._rows.get(table.name, {}).values())

    def _kept(self, table: Table, rewritten: Rewritten) -> Mapping[Key, Row]:
        there = self._rows.get(table.name, {})
        if isinstance(rewritten, NewRows):
            return dict(there)
        if isinstance(rewritten, RowsOfKeys):
            gone = {tuple(row) for row in rewritten.keys.select(*table.key).collect()}
            return {key: row for key, row in there.items() if key not in gone}
        values = {_instant(value) for value in rewritten.values}
        return {key: row for key, row in there.items() if _instant(row[rewritten.column]) not in values}

    def _keyed(self, table: Table, rewritten: Rewritten) -> dict[Key, Row]:
        found = rewritten.rows.select(*[F.col(column.name) for column in table.columns]).collect()
        keyed = {tuple(row[name] for name in table.key): row for row in found}
        if len(keyed) < len(found) or any(None in key for key in keyed):
            raise ValueError(f"{table.name}: two rows of one key, or a null in a key.")
        return keyed


def _instant(value: object) -> object:
    """Compare times as instants: Spark gives them in this machine's zone, without saying so."""
    return value.timestamp() if isinstance(value, datetime) else value
