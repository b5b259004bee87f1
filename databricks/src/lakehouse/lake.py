"""The Delta tables of the lakehouse by name: made when first needed, written once per (query, batch)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """One micro-batch of a streaming query. query: the id in its checkpoint, so that a new checkpoint counts anew."""

    query: str
    number: int


@dataclass(frozen=True, slots=True)
class Lake:
    """The tables `<layer>.<name>` that one Spark session knows."""

    spark: SparkSession

    def create(self, name: str, schema: T.StructType, clustered_by: Sequence[str] = ()) -> None:
        """Make a table of these columns where there is none; clustering (at most four columns) keeps reads narrow."""
        builder = DeltaTable.createIfNotExists(self.spark).tableName(name).addColumns(schema)
        (builder.clusterBy(*clustered_by[:4]) if clustered_by else builder).execute()

    def read(self, name: str) -> DataFrame:
        """Give a table as it is now."""
        return self.spark.read.table(name)

    def exists(self, name: str) -> bool:
        """Say whether the table was ever made."""
        return self.spark.catalog.tableExists(name)

    def append(self, name: str, rows: DataFrame, batch: MicroBatch) -> None:
        """Add rows unless this batch already did (Delta's txn)."""
        once = {"txnAppId": f"{batch.query}/{name}", "txnVersion": str(batch.number)}
        rows.write.format("delta").mode("append").options(**once).saveAsTable(name)

    def replace(self, name: str, rows: DataFrame, where: str) -> None:
        """Put rows in the place of those that meet a condition, in one commit."""
        rows.write.format("delta").mode("overwrite").option("replaceWhere", where).saveAsTable(name)

    def delta(self, name: str) -> DeltaTable:
        """Give a table for a MERGE or a DELETE."""
        return DeltaTable.forName(self.spark, name)


def columns(text: str) -> T.StructType:
    """Write columns as `name type, …` with the type names of `StructType.add`: unlike DDL it needs no session."""
    schema = T.StructType()
    for column in text.split(", "):
        name, kind = column.split(" ")
        schema.add(name, kind)
    return schema


def on_columns(names: Iterable[str]) -> str:
    """Write the condition that source `s` and target `t` agree in these columns."""
    return " AND ".join(f"t.`{column}` = s.`{column}`" for column in names)


def of_window(window_id: str) -> str:
    """Write the condition for a window's rows."""
    escaped = window_id.replace("\\", "\\\\").replace("'", "\\'")
    return f"window_id = '{escaped}'"
