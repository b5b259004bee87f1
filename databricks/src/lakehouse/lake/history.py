"""What happened to a table, commit by commit, as Delta's own history tells it."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.lake.tables import Lake

# Each operation has names of its own: MERGE those with Target, RESTORE the restored ones, appends the last.
_FILES_ADDED = ("numTargetFilesAdded", "numAddedFiles", "numRestoredFiles", "numFiles")
_FILES_REMOVED = ("numTargetFilesRemoved", "numRemovedFiles")


def history_of(lake: Lake, name: str) -> DataFrame:
    """Give a table's commits, the newest first, as far back as its log reaches.

    version, timestamp, operation (WRITE, MERGE, OPTIMIZE, …); rows_written: new or changed ones, so those that a commit
    only copies from one file to another do not count; files_added, files_removed; files: how many more the table has
    after the commit than before the oldest one listed. A commit that says nothing of rows or files has 0.
    """
    metrics = F.col("operationMetrics")
    listed = (
        lake.delta(name)
        .history()
        .select(
            *("version", "timestamp", "operation"),
            _rows_written(metrics).alias("rows_written"),
            F.coalesce(*_those(metrics, *_FILES_ADDED), F.lit(0)).alias("files_added"),
            F.coalesce(*_those(metrics, *_FILES_REMOVED), F.lit(0)).alias("files_removed"),
        )
    )
    so_far = Window.orderBy("version").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    files = F.sum(F.col("files_added") - F.col("files_removed")).over(so_far)
    return listed.withColumn("files", files).orderBy("version", ascending=False)


def _rows_written(metrics: Column) -> Column:
    inserted, merged, updated = _those(metrics, "numTargetRowsInserted", "numTargetRowsUpdated", "numUpdatedRows")
    output, copied = _those(metrics, "numOutputRows", "numCopiedRows")
    return F.coalesce(inserted + merged, updated, output - F.coalesce(copied, F.lit(0)), F.lit(0))


def _those(metrics: Column, *names: str) -> list[Column]:
    """Give these metrics, null where the commit does not have one."""
    return [F.try_element_at(metrics, F.lit(name)).cast("long") for name in names]
