"""Writes trades and counts to SQL: executors fill a staging table, then one transaction upserts the batch, once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.counting.counts import CountRow
from lakehouse.lake.tables import MicroBatch
from lakehouse.sinks.jdbc import Cell, Connection, Database, transaction
from lakehouse.sinks.retrying import WAITS, with_retries

STAGING = "Trades_staging"
_TABLES = (
    *("create_trades", "create_trades_staging", "index_trades"),
    *("create_batches", "create_window_counts", "index_window_counts"),
)


class SqlSink:
    """The SQL database behind the lakehouse. It may be away for a while: every verb tries again with growing waits."""

    def __init__(
        self,
        spark: SparkSession,
        target: Database,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        waits: Sequence[float] = WAITS,
    ) -> None:
        self._spark = spark
        self._target = target
        self._now = now
        self._sleep = sleep
        self._waits = waits

    def prepare(self) -> None:
        """Make the tables where they are not there yet: Spark can't make one in SQLite."""
        self._durably("sql.prepare", lambda: self._in_transaction(_TABLES))

    def write_trades(self, rows: DataFrame, batch: MicroBatch) -> bool:
        """Upsert a batch of gold unless it was written before; says whether it was written now."""
        name = f"{batch.query}/{batch.number}"
        return self._durably("sql.write", lambda: self._write_once(rows, name))

    def rewrite_trades(self, rows: DataFrame, window_id: str) -> None:
        """Put a window's rows, made anew, in the place of those that the table holds of it, in one transaction."""
        self._durably("sql.rewrite", lambda: self._rewrite(rows, window_id))

    def count_trades(self, window_id: str) -> int:
        """Count a window's rows in `Trades`."""
        found = self._durably("sql.count", lambda: self._rows("count_window_trades", window_id))
        return int(found[0][0])

    def write_counts(self, window_id: str, stream: str, counts: Sequence[CountRow]) -> None:
        """Put a window's counts of a stream in the place of the former ones."""
        at = self._now().strftime("%Y-%m-%dT%H:%M:%S.%f")
        rows: list[tuple[Cell, ...]] = [(window_id, stream, *count, at) for count in counts]
        self._durably("sql.counts", lambda: self._replace_counts(window_id, stream, rows))

    def claimed(self, name: str) -> bool:
        """Say whether a piece of work of this name was recorded as done."""
        return bool(self._durably("sql.claimed", lambda: self._rows("find_batch", name))[0][0])

    def claim(self, name: str) -> None:
        """Record a piece of work as done."""
        self._durably("sql.claim", lambda: self._in_transaction((), also=lambda sql: self._claim(sql, name)))

    def _durably[Result](self, what: str, act: Callable[[], Result]) -> Result:
        return with_retries(what, act, self._sleep, self._waits)

    def _write_once(self, rows: DataFrame, name: str) -> bool:
        if self._rows("find_batch", name)[0][0]:
            return False
        self._stage(rows, name)
        with transaction(self._spark, self._target) as sql:
            self._claim(sql, name)
            self._upsert(sql, name)
        return True

    def _rewrite(self, rows: DataFrame, window_id: str) -> None:
        name = f"rerun/{window_id}"
        self._stage(rows, name)
        with transaction(self._spark, self._target) as sql:
            sql.execute(self._target.statement("delete_window_trades"), window_id)
            self._upsert(sql, name)

    def _stage(self, rows: DataFrame, name: str) -> None:
        """Fill the staging table: what a try that failed left there is cleared first."""
        with transaction(self._spark, self._target) as sql:
            sql.execute(self._target.statement("clear_staging"), name)
        shaped = rows.select(*[_cell(field, self._target.dialect) for field in rows.schema], F.lit(name).alias("batch"))
        shaped.write.format("jdbc").mode("append").options(**self._target.options(STAGING)).save()

    def _upsert(self, sql: Connection, name: str) -> None:
        sql.execute(self._target.statement("upsert_trades"), name)
        sql.execute(self._target.statement("clear_staging"), name)

    def _claim(self, sql: Connection, name: str) -> None:
        sql.execute(self._target.statement("claim_batch"), name, self._now().strftime("%Y-%m-%dT%H:%M:%S.%f"))

    def _replace_counts(self, window_id: str, stream: str, rows: list[tuple[Cell, ...]]) -> None:
        with transaction(self._spark, self._target) as sql:
            sql.execute(self._target.statement("delete_window_counts"), window_id, stream)
            sql.execute_many(self._target.statement("insert_window_count"), rows)

    def _in_transaction(self, names: Sequence[str], also: Callable[[Connection], None] | None = None) -> None:
        with transaction(self._spark, self._target) as sql:
            for name in names:
                sql.execute(self._target.statement(name))
            if also:
                also(sql)

    def _rows(self, name: str, *cells: Cell) -> list[tuple[str, str, int]]:
        with transaction(self._spark, self._target) as sql:
            return sql.rows(self._target.statement(name), *cells)


_AS_TEXT: Mapping[type[T.DataType], Callable[[Column], Column]] = {
    T.TimestampType: lambda column: F.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"),
    T.DecimalType: lambda column: column.cast("string"),
}


def _cell(field: T.StructField, dialect: str) -> Column:
    """Give a column as the database keeps it: SQLite has neither times nor decimals, and its driver writes numbers."""
    as_text = _AS_TEXT.get(type(field.dataType)) if dialect == "sqlite" else None
    return (as_text(F.col(field.name)) if as_text else F.col(field.name)).alias(field.name)
