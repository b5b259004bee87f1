"""Bronze: every event as it came, exactly once for each (partition, sequence number)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.streams.bronze_schema import BRONZE, KEY
from lakehouse.request import Stream
from lakehouse.sources.port import Source


@dataclass(frozen=True, slots=True)
class BronzeProgress:
    """How far bronze has a stream: each partition's last sequence number, and the rows that this pass read."""

    last_sequence_numbers: Mapping[str, int]
    rows_read: int = 0


def run_bronze_pass(
    spark: SparkSession, source: Source, stream: Stream, checkpoint_root: str, *, known: BronzeProgress | None = None
) -> BronzeProgress:
    """Append to `bronze.<stream>` what the stream's hub has now and bronze has not, and say how far that is.

    checkpoint_root: the folder or storage URL of all checkpoints; this one is `bronze/<stream>` under it.
    known: what the pass before this one returned, if this process ran it: it saves a look at the whole table.
    Raises StreamingQueryException with the source's own words where the source or the table fails; run again, the
    pass continues where the checkpoint is.
    """
    table = f"bronze.{stream.name}"
    create_bronze_table(spark, table)
    last = dict(known.last_sequence_numbers if known else last_sequence_numbers(spark, table))
    rows = 0

    def append(batch: DataFrame, batch_id: int) -> None:
        nonlocal rows
        for part in append_bronze(batch, batch_id, table, last):
            rows += part.rows
            last[part.partition] = max(last.get(part.partition, _BEFORE_THE_FIRST), part.last)

    checkpoint = f"{checkpoint_root}/bronze/{stream.name}"
    writer = source.events(spark, stream.hub).writeStream.foreachBatch(append).option("checkpointLocation", checkpoint)
    # Where Spark has a batch to repeat, an `availableNow` query may do that and no more: then it takes a second one.
    for _ in range(2 if _was_interrupted(spark, checkpoint) else 1):
        writer.trigger(availableNow=True).start().awaitTermination()
    return BronzeProgress(last, rows)


def _was_interrupted(spark: SparkSession, checkpoint: str) -> bool:
    """Say whether the checkpoint names a batch that was begun and not committed."""
    return _newest(spark, f"{checkpoint}/offsets") > _newest(spark, f"{checkpoint}/commits")


def _newest(spark: SparkSession, folder: str) -> int:
    context: Any = spark.sparkContext  # Hadoop's file systems reach wherever a checkpoint may lie
    path = context._jvm.org.apache.hadoop.fs.Path(folder)  # noqa: SLF001
    system = path.getFileSystem(context._jsc.hadoopConfiguration())  # noqa: SLF001
    names = [file.getPath().getName() for file in system.listStatus(path)] if system.exists(path) else []
    return max((int(name) for name in names if name.isdigit()), default=_BEFORE_THE_FIRST)


def create_bronze_table(spark: SparkSession, table: str) -> None:
    """Create the table if it is missing."""
    columns = ", ".join(f"{column.name} {column.dataType.simpleString()}" for column in BRONZE.fields)
    spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING DELTA")


def last_sequence_numbers(spark: SparkSession, table: str) -> dict[str, int]:
    """Return each partition's last sequence number in a bronze table; partitions without events are not in it."""
    found = spark.table(table).groupBy("partition").agg(F.max("sequence_number").alias("last")).collect()
    return {row["partition"]: row["last"] for row in found}


@dataclass(frozen=True, slots=True)
class BatchPart:
    """What a batch has of one partition: its first and last sequence number, its rows, its different numbers."""

    partition: str
    first: int
    last: int
    rows: int
    numbers: int


def append_bronze(
    batch: DataFrame, batch_id: int, table: str, held: Mapping[str, int] | None = None
) -> Sequence[BatchPart]:
    """Append those events of a batch that the table does not hold yet, and say what the batch had.

    held: each partition's last sequence number in the table; what lies beyond is new without a look at the table.

    As often as it is called, each event is there once. Within a streaming query Delta also remembers the batch
    (txnAppId is the query's id, which a new checkpoint changes), so a batch whose commit was lost is not written again.
    """
    batch = batch.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        parts = _parts(batch)
        if parts:
            seen = [part for part in parts if held is None or _begins_within(part, held)]
            fresh = _without_known(_dedupe(batch, parts), table, seen)
            writer = fresh.write.format("delta").mode("append")
            writer.options(**_transaction(batch.sparkSession, batch_id)).saveAsTable(table)
        return parts
    finally:
        batch.unpersist()


def _parts(batch: DataFrame) -> list[BatchPart]:
    number = F.col("sequence_number")
    found = batch.groupBy("partition").agg(
        F.min(number).alias("first"),
        F.max(number).alias("last"),
        F.count(number).alias("rows"),
        F.countDistinct(number).alias("numbers"),
    )
    return [BatchPart(**row.asDict()) for row in found.collect()]


def _dedupe(batch: DataFrame, parts: Sequence[BatchPart]) -> DataFrame:
    has_repeats = any(part.rows != part.numbers for part in parts)
    return batch.dropDuplicates(list(KEY)) if has_repeats else batch


def _without_known(batch: DataFrame, table: str, parts: Sequence[BatchPart]) -> DataFrame:
    """Leave out what the table holds; the bounds let Delta pass over all files of other times."""
    if not parts:
        return batch
    known = batch.sparkSession.table(table).where(reduce(Column.__or__, map(_within, parts))).select(*KEY)
    return batch.join(known, list(KEY), "left_anti")


def _begins_within(part: BatchPart, held: Mapping[str, int]) -> bool:
    return part.first <= held.get(part.partition, _BEFORE_THE_FIRST)


def _within(part: BatchPart) -> Column:
    return (F.col("partition") == part.partition) & F.col("sequence_number").between(part.first, part.last)


def _transaction(spark: SparkSession, batch_id: int) -> dict[str, str]:
    query = spark.sparkContext.getLocalProperty("sql.streaming.queryId")
    return {"txnAppId": f"bronze-{query}", "txnVersion": str(batch_id)} if query else {}


_BEFORE_THE_FIRST = -1
