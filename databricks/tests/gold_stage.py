"""A lake for tests of gold tables: small streams of silver whose rows come, change and go, and tables made of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from lakehouse.lake.tables import Lake, columns
from lakehouse.lookups import LookupContract, Lookups
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.kinds.kind import OWN_ROWS
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.table import Table
from lakehouse.pipelines.targets.fake import FakeTarget

START = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
FIRST, SECOND = "feed-20261122T233000Z", "feed-20261123T003000Z"
RECORD = "id long, at timestamp, kind string, amount long"
LINEAGE = (
    "window_id string, slice string, attempt integer, epoch string, partition string, sequence_number long, "
    "index integer"
)

_numbers = count(1)


class DictStore:
    """A reference store in memory."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        return self.documents.get(path)


@dataclass
class Stage:
    """One example's streams and tables; their names are new each time, since a session is shared."""

    spark: SparkSession
    lake: Lake = field(init=False)
    store: DictStore = field(default_factory=DictStore)
    contracts: Mapping[str, LookupContract] = field(default_factory=dict)
    target: FakeTarget = field(default_factory=FakeTarget)
    ids: dict[str, set[int]] = field(default_factory=dict)
    number: int = field(default_factory=lambda: next(_numbers))
    tables: dict[str, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lake = Lake(self.spark)

    def stream(self, name: str, record: str = RECORD) -> str:
        """Make a stream's silver; gives its name."""
        stream = f"{name}{self.number}"
        self.ids[stream] = set()
        self.lake.create(f"silver.{stream}", columns(f"{record}, {LINEAGE}"), ("id",))
        return stream

    def named(self, table: Table) -> Table:
        """Give a table a name of its own."""
        return replace(table, name=f"{table.name}{self.number}")

    def gold(self, *tables: Table, paths: Mapping[str, str] | None = None) -> Gold:
        """Begin a process: what a former one remembered is forgotten."""
        self.lake = Lake(self.spark)
        self.tables = {table.name: table for table in tables}
        lookups = Lookups(self.spark, self.store, paths or {}, self.contracts)
        gold = Gold(self.lake, Pipeline("feed", tables), lookups, (self.target,))
        gold.prepare()
        return gold

    def put(self, stream: str, *rows: Mapping[str, Any], gone: Iterable[int] = ()) -> None:
        """Let rows come, change (of keys that are there) and go, in one commit: an append where they only come."""
        there, name = self.ids[stream], f"silver.{stream}"
        replaced = there & {row["id"] for row in rows} | there & set(gone)
        if replaced:
            self.lake.replace(name, self.frame(stream, rows), _ids(replaced | {row["id"] for row in rows}))
        elif rows:
            self.lake.append(name, self.frame(stream, rows))
        there -= set(gone)
        there |= {row["id"] for row in rows}

    def frame(self, stream: str, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
        schema = self.lake.read(f"silver.{stream}").schema
        return self.spark.createDataFrame([tuple(row.get(name) for name in schema.names) for row in rows], schema)

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        """Give what the table holds."""
        return listed(self.spark.read.table(table.lake_name), table)

    def published(self, table: Table) -> list[tuple[Any, ...]]:
        """Give what the target holds."""
        return sorted(map(tuple, self.target.rows(table)), key=str)

    def built(self, table: Table) -> list[tuple[Any, ...]]:
        """Give what one build over all of silver makes."""
        return listed(self._built(table), table)

    def _built(self, table: Table) -> DataFrame:
        return table.build(**{name: self._input(name, table) for name in table.inputs})

    def _input(self, name: str, table: Table) -> DataFrame:
        """Give an input whole; of the table's own rows, which are there from days before, none."""
        if name == OWN_ROWS:
            return self.spark.createDataFrame([], table.schema)
        return self._built(self.tables[name]) if name in self.tables else self.lake.read(f"silver.{name}")

    def versions(self, table: Table) -> list[Row]:
        """Give the table's commits that wrote rows, the oldest first."""
        history = self.spark.sql(f"DESCRIBE HISTORY {table.lake_name}").where(
            "operation IN ('WRITE', 'MERGE', 'DELETE')"
        )
        return sorted(history.select("version", "operation", "operationMetrics").collect())

    def files(self, table: Table) -> dict[str, list[Any]]:
        """Give by file the first column's values that lie in it."""
        found = self.lake.read(table.lake_name).select(F.col("_metadata.file_path"), table.columns[0].name).distinct()
        files: dict[str, list[Any]] = {}
        for path, value in found.collect():
            files.setdefault(path, []).append(value)
        return files


def record(number: int, minute: int = 0, *, window: str = FIRST, **changes: Any) -> dict[str, Any]:
    """A row of silver. minute: after `START`."""
    return {
        "id": number,
        "at": START + timedelta(minutes=minute),
        "kind": "a",
        "amount": 1,
        "window_id": window,
        **changes,
    }


def listed(rows: DataFrame, table: Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in rows.select(*[one.name for one in table.columns]).collect()), key=str)


def _ids(ids: Iterable[int]) -> str:
    return f"id IN ({', '.join(map(str, ids))})"
