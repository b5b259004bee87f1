"""How many rows of a window each table holds, by its change feed: a row is looked at once, a repeat doubles nothing."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.counting.beside import Beside
from lakehouse.lake.tables import AFTER_UPDATE, CHANGE, INSERT, Lake, as_inserts

BRONZE, SILVER, DUPLICATES, QUARANTINED = "bronze", "silver_new", "duplicates", "quarantined"

type CountRow = tuple[str, str, int]
"""(stage, name, rows) of one window and stream, as `window_counts` has it."""

type _Label = tuple[str, str, int]
"""(window id, name, attempt)"""


@dataclass(frozen=True, slots=True)
class Hole:
    """Numbers of a hub's partition that were deleted before they were read, both ends included.

    partition: with the hub's name before it where that is not the stream's first (`lakehouse.request.place_of`).
    """

    partition: str
    first: int
    last: int

    @property
    def rows(self) -> int:
        """Count them."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return f"partition {self.partition}: {self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """One window's rows of one stream.

    arrived: records in bronze by (slice, attempt). gold: by table, rows by the values that it is counted by (`` where
    it has none). sql: by SQL table. holes: what the hub had deleted. cleaned: rows of silver by cleaning rule.
    cosmos: how Cosmos DB beside the hub compares; None where there is none.
    """

    bronze_events: int = 0
    bronze_records: int = 0
    silver_new: int = 0
    duplicates: int = 0
    quarantined: int = 0
    arrived: Mapping[tuple[str, int], int] = field(default_factory=dict)
    gold: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sql: Mapping[str, int] = field(default_factory=dict)
    holes: Sequence[Hole] = ()
    cleaned: Mapping[str, int] = field(default_factory=dict)
    cosmos: Beside | None = None

    def rows_of(self, table: str) -> int:
        """Count a gold table's rows."""
        return sum(self.gold[table].values())


@dataclass(frozen=True, slots=True)
class CountedTable:
    """A table that is counted for a stream.

    stage: `bronze`, `silver_new`, `duplicates`, `quarantined`, or a gold table's name. labelled: gives `window_id`,
    `name`, `attempt`, `rows` and `events` of a frame of the table's columns, and passes `_change_type` on.
    of_windows: narrows the whole table to some windows, as far as that spares reading. rules: of silver, the cleaning
    rules by which its rows are counted too.
    """

    table: str
    stream: str
    stage: str
    labelled: Callable[[DataFrame], DataFrame]
    of_windows: Callable[[DataFrame, Sequence[str]], DataFrame] = lambda rows, _: rows
    rules: tuple[str, ...] = ()


class Counting:
    """Counts windows in tables: the first time over all that the tables have of them, then by what has changed."""

    def __init__(self, lake: Lake, tables: Sequence[CountedTable]) -> None:
        self._lake = lake
        self._tables = {(one.stream, one.stage): one for one in tables}
        self.forget()

    def forget(self) -> None:
        """Count all anew at the next refresh."""
        self._versions: dict[str, int] = {}
        self._windows: set[str] = set()
        self._counted: dict[tuple[str, str], dict[_Label, tuple[int, int]]] = {one: {} for one in self._tables}

    def refresh(self, windows: Collection[str]) -> None:
        """Bring the counts of all windows that were ever asked for, and of these, up to now, in one Spark job."""
        new = sorted(set(windows) - self._windows)
        parts = [part for one in self._tables.values() for part in self._parts(one, new)]
        self._windows.update(new)
        if not parts:
            return
        for stream, stage, window, name, attempt, rows, events in _summed(
            reduce(DataFrame.unionByName, parts)
        ).collect():
            counted = self._counted[stream, stage]
            before = counted.get((window, name, attempt), (0, 0))
            counted[window, name, attempt] = (before[0] + rows, before[1] + events)

    def of(self, window_id: str, stream: str) -> WindowCounts:
        """Give what was counted of a window and stream; the database and holes are the caller's to add."""
        bronze, silver = self._of(stream, BRONZE, window_id), self._of(stream, SILVER, window_id)
        return WindowCounts(
            bronze_events=sum(events for _, events in bronze.values()),
            bronze_records=sum(rows for rows, _ in bronze.values()),
            arrived={label: rows for label, (rows, _) in bronze.items()},
            silver_new=silver.get(("", 0), (0, 0))[0],
            cleaned={rule: silver.get((rule, 0), (0, 0))[0] for rule in self._rules_of(stream)},
            duplicates=self._total(stream, DUPLICATES, window_id),
            quarantined=self._total(stream, QUARANTINED, window_id),
            gold={
                stage: {name: rows for (name, _), (rows, _) in self._of(stream, stage, window_id).items() if rows}
                for of, stage in self._tables
                if of == stream and stage not in {BRONZE, SILVER, DUPLICATES, QUARANTINED}
            },
        )

    def _of(self, stream: str, stage: str, window_id: str) -> dict[tuple[str, int], tuple[int, int]]:
        found = self._counted.get((stream, stage), {}).items()
        return {label[1:]: counts for label, counts in found if label[0] == window_id and counts != (0, 0)}

    def _rules_of(self, stream: str) -> tuple[str, ...]:
        return self._tables[stream, SILVER].rules if (stream, SILVER) in self._tables else ()

    def _total(self, stream: str, stage: str, window_id: str) -> int:
        return sum(rows for rows, _ in self._of(stream, stage, window_id).values())

    def _parts(self, one: CountedTable, new: Sequence[str]) -> Iterator[DataFrame]:
        """Give the rows to add: of known windows by the change feed, of new ones those of the whole table."""
        version, counted = self._lake.version(one.table), self._versions.get(one.table)
        self._versions[one.table] = version
        if self._windows and version != counted:
            changes = self._lake.changes(one.table, counted, version)
            if changes.whole:
                self._counted[one.stream, one.stage].clear()
            yield _labelled(one, changes.rows, sorted(self._windows))
        if new and not self._lake.is_blank(one.table):
            yield _labelled(one, one.of_windows(as_inserts(self._lake.read(one.table)), new), new)


def _labelled(one: CountedTable, rows: DataFrame, windows: Sequence[str]) -> DataFrame:
    """Give rows of these windows with what they are summed up by, those that went with a minus."""
    sign = F.when(F.col(CHANGE).isin(INSERT, AFTER_UPDATE), 1).otherwise(-1)
    labelled = one.labelled(rows).where(F.col("window_id").isin(list(windows)))
    label = (F.lit(one.stream).alias("stream"), F.lit(one.stage).alias("stage"), "window_id", "name", "attempt")
    return labelled.select(*label, *[(sign * F.col(name)).alias(name) for name in ("rows", "events")])


def _summed(rows: DataFrame) -> DataFrame:
    """Sum up rows of all tables together: an aggregation of each by itself would be many more tasks."""
    grouped = rows.groupBy("stream", "stage", "window_id", "name", "attempt")
    return grouped.agg(F.sum("rows").alias("rows"), F.sum("events").alias("events"))
