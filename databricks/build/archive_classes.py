"""Do once what runs do, so that the JVM can write down the classes that it loads for it (scripts/setup-lakehouse).

A run whose JVM is given that archive (`lakehouse.session`) does not read and check each class anew.
"""

import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everywhere with Spark

from lakehouse.lake.tables import Lake, columns, on_columns
from lakehouse.session import spark_session
from lakehouse.sinks.jdbc import database, transaction

TABLE = "silver.events"


def main() -> None:
    """Take the folder of the jars, and one for a lake that is thrown away."""
    jars, folder = map(Path, sys.argv[1:])
    spark = spark_session("classes", lake_root=str(folder / "lake"), jars=sorted(jars.glob("*.jar")))
    write_and_read(Lake(spark))
    stream(spark, folder)
    publish(spark, folder)
    spark.stop()


def write_and_read(lake: Lake) -> None:
    """Append, merge, replace, and read what changed."""
    lake.create(TABLE, columns("key long, text string, time timestamp"), ("key",))
    rows = lake.spark.range(100).selectExpr("id AS key", "string(id % 3) AS text", "timestamp_seconds(id) AS time")
    lake.append(TABLE, rows)
    merge = lake.delta(TABLE).alias("t").merge(rows.alias("s"), on_columns(["key"]))
    lake.merge(TABLE, merge.whenMatchedUpdateAll().whenNotMatchedInsertAll())
    lake.replace(TABLE, rows.where("key < 9"), "key < 9")
    changes = lake.changes(TABLE, 0).rows.persist()
    changes.groupBy("text").agg(F.count_distinct("key"), F.max("time")).collect()
    changes.join(lake.read(TABLE), ["key"], "left_semi").isEmpty()


def stream(spark: SparkSession, folder: Path) -> None:
    """Read a table as a stream, once."""
    query = spark.readStream.option("ignoreChanges", "true").table(TABLE).writeStream
    query = query.option("checkpointLocation", str(folder / "checkpoints")).trigger(availableNow=True)
    query.foreachBatch(lambda batch, _: batch.count()).start().awaitTermination()


def publish(spark: SparkSession, folder: Path) -> None:
    """Write rows to a database."""
    target = database(f"jdbc:sqlite:{folder / 'sql.db'}")
    with transaction(spark, target) as sql:
        sql.define('CREATE TABLE events ("key" INTEGER)')
    spark.read.table(TABLE).select("key").write.format("jdbc").mode("append").options(**target.options("events")).save()


if __name__ == "__main__":
    main()
