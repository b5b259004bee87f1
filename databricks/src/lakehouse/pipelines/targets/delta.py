"""Writes gold tables to the lake: appended, in one bounded MERGE, or in the place of some values' rows alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import and_

from delta.tables import DeltaMergeBuilder
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake, differ, quoted
from lakehouse.pipelines.kinds.kind import NewRows, Rewritten, RowsOfKeys
from lakehouse.pipelines.table import Table

_HAS_ROW = "_has_row"
_MOST_FILES = 32


@dataclass(frozen=True, slots=True)
class DeltaTarget:
    """The tables `gold.<name>` of a lake; the progress stands in their commits."""

    lake: Lake

    def progress(self, table: Table) -> Progress | None:
        """Give up to where the table accounts for its inputs."""
        return self.lake.progress(table.lake_name)

    def write(self, table: Table, rewritten: Rewritten, progress: Progress) -> None:
        """Write rows and progress in one commit."""
        if isinstance(rewritten, NewRows):
            self.lake.append(table.lake_name, rewritten.rows, progress)
        elif isinstance(rewritten, RowsOfKeys):
            self.lake.merge(table.lake_name, self._merge(table, rewritten), progress)
        else:
            column, values = rewritten.column, rewritten.values
            rows = _file_by_value(rewritten.rows, column, values, is_partitioned=column == table.partitioned_by)
            self.lake.replace(table.lake_name, rows, one_of(column, values), progress)

    def _merge(self, table: Table, rewritten: RowsOfKeys) -> DeltaMergeBuilder:
        """Write only what differs: a row that is right already costs no file."""
        rows, key = rewritten.rows.withColumn(_HAS_ROW, F.lit(True)), list(table.key)
        source = rewritten.keys.join(rows, key, "left").alias("s")
        there, names = F.col(f"s.{_HAS_ROW}").isNotNull(), [column.name for column in table.columns]
        merge = self.lake.delta(table.lake_name).alias("t").merge(source, reduce(and_, _same_rows(table, rewritten)))
        merge = merge.whenMatchedDelete(~there)
        merge = merge.whenMatchedUpdate(differ(names), {f"`{name}`": F.col(f"s.`{name}`") for name in names})
        return merge.whenNotMatchedInsert(there, {f"`{name}`": F.col(f"s.`{name}`") for name in names})


def one_of(column: str, values: Sequence[object]) -> str:
    """Write the condition that a column has one of these values."""
    return f"`{column}` IN ({', '.join(map(literal, values))})"


def literal(value: object) -> str:
    """Write a value in Spark SQL."""
    if isinstance(value, datetime):
        return f"TIMESTAMP {quoted(value.isoformat())}"
    if isinstance(value, date):
        return f"DATE {quoted(value.isoformat())}"
    return quoted(value) if isinstance(value, str) else str(value)


def _same_rows(table: Table, rewritten: RowsOfKeys) -> Iterator[Column]:
    """The bounds say nothing that the keys don't, but by them Delta knows which files it need not read."""
    for name in table.key:
        yield F.col(f"t.`{name}`") == F.col(f"s.`{name}`")
    for name, (least, greatest) in rewritten.bounds.items():
        yield F.col(f"t.`{name}`").between(F.lit(least), F.lit(greatest))


def _file_by_value(rows: DataFrame, column: str, values: Sequence[object], *, is_partitioned: bool) -> DataFrame:
    """Give each value a file of its own, so that the next change of one leaves the others' files alone."""
    if len(values) > _MOST_FILES and is_partitioned:
        return rows.repartition(_MOST_FILES, column)  # else each task has a file for each value
    if not 1 < len(values) <= _MOST_FILES:
        return rows
    place = F.array_position(F.array(*[F.expr(literal(value)) for value in values]), F.col(f"`{column}`")) - 1
    return rows.repartitionById(len(values), place.cast("int"))
