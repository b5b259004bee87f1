"""Publishes gold tables to SQL, and writes a window's counts there.

Executors fill a staging table; then one transaction applies what they staged and records up to where the table now
accounts for the lake. So a run that is killed anywhere goes on exactly where the table is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.counting.beside import COSMOS, IN_SPILL
from lakehouse.counting.counts import CountRow
from lakehouse.counting.reconciling import LONGEST_NAME, SPILL
from lakehouse.lake.progress import Progress, parse_progress
from lakehouse.pipelines.kinds.kind import Rewritten, RowsOfKeys, RowsOfValues
from lakehouse.pipelines.table import Table
from lakehouse.sinks import statements
from lakehouse.sinks.cells import cell, cut, staged, time_text
from lakehouse.sinks.jdbc import Cell, Connection, Database, transaction
from lakehouse.sinks.preparing import prepare
from lakehouse.sinks.retrying import WAITS, with_retries
from lakehouse.sinks.tables import BATCH, Dialect, LengthOf, SqlTable, sql_tables
from lakehouse.window import UNSETTLED

_VALUES_A_STATEMENT = 1000
"""SQL Server binds at most 2,100."""


class Overtaken(Exception):
    """Another run published to the table meanwhile; a new run goes on from there."""


class SqlSink:
    """The SQL database behind the lakehouse. It may be away for a while: every verb tries again with growing waits."""

    def __init__(
        self,
        spark: SparkSession,
        database: Database,
        length_of: LengthOf,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        waits: Sequence[float] = WAITS,
    ) -> None:
        self._spark = spark
        self._database = database
        self._length_of = length_of
        self._now = now
        self._sleep = sleep
        self._waits = waits
        self._tables: dict[str, SqlTable] = {}
        self._held: dict[str, str] = {}
        self._dirty: set[str] = set()

    def prepare(self, tables: Iterable[Table]) -> None:
        """Make or upgrade those tables that are published, before anything else is asked; raises UnfitTable."""
        published = {table.name: table for table in tables if table.sql}
        made = sql_tables(published.values(), self._length_of)
        self._tables = dict(zip(published, made, strict=True))
        self._durably("sql.prepare", lambda: self._prepare(made))

    def progress(self, table: Table) -> Progress | None:
        """Give up to where the SQL table accounts for the lake; None where nothing was published yet."""
        return self.progress_of(self._tables[table.name].name)

    def progress_of(self, name: str) -> Progress | None:
        """Give what is recorded under a name; None where nothing is."""
        if name not in self._held:
            found = self._durably("sql.progress", lambda: self._rows(statements.PROGRESS, name))
            self._held[name] = found[0][0] if found else ""
        return parse_progress(self._held[name])

    def record(self, name: str, progress: Progress) -> None:
        """Record progress under a name; raises Overtaken where another run did."""
        self._durably("sql.record", lambda: self._record(name, progress.metadata()))
        self._held[name] = progress.metadata()

    def write(self, table: Table, rewritten: Rewritten, progress: Progress) -> None:
        """Put rows in the place of those that they replace, and record the progress; raises Overtaken.

        A new row whose key the table has takes the place of the former one.
        """
        made, metadata = self._tables[table.name], progress.metadata()
        self.progress(table)
        self._durably("sql.write", lambda: self._write(made, rewritten, metadata))
        self._held[made.name] = metadata

    def count(self, table: Table, window_id: str) -> int:
        """Count a window's rows in the SQL table."""
        counting = statements.count_window(self._tables[table.name])
        found = self._durably("sql.count", lambda: self._rows(counting, window_id))
        return int(found[0][0])

    def unsettled_spill(self, stream: str) -> dict[str, dict[str, int]]:
        """Give by window the spilled records of a stream that waited, or were dead, when the window was counted."""
        found = self._durably("sql.spilled", lambda: self._rows(statements.SPILLED, stream, SPILL, *UNSETTLED))
        states: dict[str, dict[str, int]] = {}
        for window_id, state, rows in found:
            states.setdefault(window_id, {})[state] = int(rows)
        return states

    def in_spill_of_cosmos(self, stream: str) -> dict[str, int]:
        """Give by window the records of a stream that waited for Cosmos DB when the window was counted."""
        found = self._durably("sql.spilled", lambda: self._rows(statements.SPILLED, stream, COSMOS, IN_SPILL, IN_SPILL))
        return {window_id: int(rows) for window_id, _, rows in found if rows}

    def write_counts(self, counts: Mapping[tuple[str, str], Sequence[CountRow]]) -> None:
        """Put counts by (window, stream) in the place of the former ones, all in one transaction."""
        if counts:
            at = time_text(self._now())
            rows: list[tuple[Cell, ...]] = [
                (*of, stage, cut(name, LONGEST_NAME), rows, at)
                for of, found in counts.items()
                for stage, name, rows in found
            ]
            self._durably("sql.counts", lambda: self._replace_counts(counts, rows))

    def _durably[Result](self, what: str, act: Callable[[], Result]) -> Result:
        return with_retries(what, act, self._sleep, self._waits)

    def _prepare(self, tables: Sequence[SqlTable]) -> None:
        with transaction(self._spark, self._database) as sql:
            prepare(sql, tables, self._database.dialect)
            for table in tables:
                sql.execute(statements.BEGIN, table.name, "", time_text(self._now()), table.name)
        self._held.clear()
        self._dirty.clear()

    def _write(self, table: SqlTable, rewritten: Rewritten, metadata: str) -> None:
        batch = time_text(self._now())
        self._stage(table, rewritten, batch)
        with transaction(self._spark, self._database) as sql:
            if self._advance(sql, table.name, metadata):
                for statement, cells in changes(table, rewritten, batch, self._database.dialect):
                    sql.execute(statement, *cells)
            self._clear(sql, table)
        self._dirty.discard(table.name)

    def _stage(self, table: SqlTable, rewritten: Rewritten, batch: str) -> None:
        """Fill the staging tables: what a try that failed left there is cleared first."""
        if table.name in self._dirty:
            with transaction(self._spark, self._database) as sql:
                self._clear(sql, table)
        self._dirty.add(table.name)
        self._append(rewritten.rows, table.names, table.staging, batch)
        if isinstance(rewritten, RowsOfKeys):
            self._append(rewritten.keys, table.key, table.keys, batch)

    def _append(self, rows: DataFrame, names: Sequence[str], staging: str, batch: str) -> None:
        shaped = rows.select(*[staged(rows.schema[name], self._database.dialect) for name in names])
        writer = shaped.withColumn(BATCH, F.lit(batch)).write.format("jdbc").mode("append")
        writer.options(**self._database.options(staging)).save()

    def _advance(self, sql: Connection, name: str, metadata: str) -> bool:
        """Record progress; says whether it was not there yet: a commit may have gone well though no answer came."""
        if sql.execute(statements.ADVANCE, metadata, time_text(self._now()), name, self._held[name]):
            return True
        found = sql.rows(statements.PROGRESS, name)
        if [metadata] == [text for (text,) in found]:
            return False
        raise Overtaken(
            f"{name}: another run published to it since this one began. Let one run of a feed work at a time."
        )

    def _record(self, name: str, metadata: str) -> None:
        self.progress_of(name)
        with transaction(self._spark, self._database) as sql:
            sql.execute(statements.BEGIN, name, "", time_text(self._now()), name)
            self._advance(sql, name, metadata)

    def _clear(self, sql: Connection, table: SqlTable) -> None:
        sql.execute(statements.clear(table.staging))
        sql.execute(statements.clear(table.keys))

    def _replace_counts(self, of: Iterable[tuple[str, str]], rows: list[tuple[Cell, ...]]) -> None:
        with transaction(self._spark, self._database) as sql:
            sql.execute_many(statements.DELETE_COUNTS, list(of))
            sql.execute_many(statements.add_count(self._database.dialect), rows)

    def _rows(self, statement: str, *cells: Cell) -> list[tuple[str, ...]]:
        with transaction(self._spark, self._database) as sql:
            return sql.rows(statement, *cells)


def changes(
    table: SqlTable, rewritten: Rewritten, batch: str, dialect: Dialect
) -> Iterator[tuple[str, tuple[Cell, ...]]]:
    """Give the statements, each with what it binds, that apply what was staged."""
    if isinstance(rewritten, RowsOfValues):
        cells = [cell(value, dialect) for value in rewritten.values]
        for first in range(0, len(cells), _VALUES_A_STATEMENT):
            some = tuple(cells[first : first + _VALUES_A_STATEMENT])
            yield statements.delete_values(table, rewritten.column, len(some)), some
    yield statements.upsert(table, dialect), (batch,)
    if isinstance(rewritten, RowsOfKeys):
        yield statements.delete_missing(table, dialect), (batch, batch)
