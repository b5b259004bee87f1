"""A day table in memory: its inputs' rows come, change and go, and it is brought up as the engine does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from call_rows import KEYS, SCHEMAS, frame
from lakehouse.lake.tables import CHANGE
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Changed, Inputs
from lakehouse.pipelines.table import Table

type State = dict[str, dict[tuple[Any, ...], Mapping[str, Any]]]


@dataclass
class DayStage:
    """now: each input's rows by key. seen: the same as the table last saw them."""

    spark: SparkSession
    table: Table
    now: State = field(default_factory=lambda: {name: {} for name in SCHEMAS})
    seen: State = field(default_factory=lambda: {name: {} for name in SCHEMAS})
    rows: dict[date, list[tuple[Any, ...]]] = field(default_factory=dict)

    def put(self, name: str, *rows: Mapping[str, Any]) -> None:
        self.now[name].update({tuple(row[key] for key in KEYS[name]): row for row in rows})

    def remove(self, name: str, *keys: tuple[Any, ...]) -> None:
        for key in keys:
            self.now[name].pop(key, None)

    def bring_up(self, *, whole: frozenset[str] = frozenset()) -> Sequence[date]:
        """Let the kind take in what changed; gives the days that it replaced. whole: of which nobody knows."""
        changes = {name: self._changed(name, name in whole) for name in self.table.kind.follows}
        self.seen = {name: dict(rows) for name, rows in self.now.items()}
        rewritten = self.table.kind.rewritten(Inputs(changes, self._read, self.table.key), self._build)
        if rewritten is None:
            return []
        for day in rewritten.values:
            self.rows.pop(day, None)
        for row in listed(rewritten.rows):
            self.rows.setdefault(row[0], []).append(row)
        return rewritten.values

    @property
    def held(self) -> list[tuple[Any, ...]]:
        """Give what the table holds."""
        return sorted(row for rows in self.rows.values() for row in rows)

    @property
    def recomputed(self) -> list[tuple[Any, ...]]:
        """Give what one build over all rows makes."""
        return listed(self._build({name: self._read(name) for name in self.table.inputs}))

    def _read(self, name: str) -> DataFrame:
        if name == OWN_ROWS:
            return self.spark.createDataFrame([(day,) for day in self.rows], f"{self.table.kind.day} date")
        return frame(self.spark, name, self.now[name].values())

    def _build(self, inputs: Mapping[str, DataFrame]) -> DataFrame:
        return self.table.build(**inputs).to(self.table.schema)

    def _changed(self, name: str, whole: bool) -> Changed:
        before, now = self.seen[name], self.now[name]
        gone = [] if whole else [row for key, row in before.items() if now.get(key) != row]
        came = [row for key, row in now.items() if whole or before.get(key) != row]
        rows = frame(self.spark, name, gone).withColumn(CHANGE, F.lit("delete"))
        return Changed(rows.union(frame(self.spark, name, came).withColumn(CHANGE, F.lit("insert"))), whole=whole)


def listed(rows: DataFrame) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in rows.collect())
