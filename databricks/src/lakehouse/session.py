"""The Spark session of a job: Databricks' own, or one with Delta on this machine."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from lakehouse.lake.naming import LAYERS, Names


def spark_session(name: str, *, lake_root: str, names: Names | None = None, jars: Sequence[Path] = ()) -> SparkSession:
    """Give the session of this process, with the schemas of all layers, called as `names` says.

    lake_root: the folder that holds the tables; in Databricks a storage URL, or empty for the catalog's own place.
    jars: what Spark needs besides itself on one machine (`.cache/jars`); none in Databricks, which brings its own.
    """
    names = names or Names()
    if not jars:
        return _on_databricks(name, lake_root, names)
    return _on_this_machine(name, Path(lake_root).absolute(), names, jars)


def _on_databricks(name: str, lake_root: str, names: Names) -> SparkSession:
    spark = SparkSession.builder.appName(name).getOrCreate()
    for layer in LAYERS:
        place = f" MANAGED LOCATION '{lake_root.rstrip('/')}/{names.schema_prefix}{layer}'" if lake_root else ""
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {names.schema(layer)}{place}")
    return spark


def _on_this_machine(name: str, lake_root: Path, names: Names, jars: Sequence[Path]) -> SparkSession:
    # Without it Python workers are started with whatever `python3` is on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master("local[2]")
    for key, value in _configuration(lake_root, jars).items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    for layer in LAYERS:
        place = (lake_root / f"{names.schema_prefix}{layer}").as_uri()
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {names.schema(layer)} LOCATION '{place}'")
    for table, folder in _tables(lake_root, names):
        spark.sql(f"CREATE TABLE IF NOT EXISTS {table} USING DELTA LOCATION '{folder.as_uri()}'")
    return spark


def _tables(lake_root: Path, names: Names) -> Iterator[tuple[str, Path]]:
    """Find the tables of earlier processes: this catalog lives in memory, and only as long as its process."""
    for layer in LAYERS:
        for log in sorted((lake_root / f"{names.schema_prefix}{layer}").glob("*/_delta_log")):
            yield names.table(f"{layer}.{log.parent.name}"), log.parent


def _configuration(lake_root: Path, jars: Sequence[Path]) -> Mapping[str, str]:
    return {
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": lake_root.as_uri(),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Sized for one small machine: few tasks, a quick start, nothing that listens beyond it.
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",  # it makes jobs of their own of what are two tasks
        # PySpark tells the JVM of each expression which line made it, for errors: that costs more than the expression.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        # Spark keeps its last 1,000 plans in memory for pages that nobody opens here, and writes each out in full.
        "spark.sql.ui.explainMode": "simple",
        "spark.sql.ui.retainedExecutions": "10",
        "spark.ui.retainedJobs": "50",
        "spark.ui.retainedStages": "50",
        # A thread that sorted keeps its page until it sorts again often enough: by default 16 MB in each, many times.
        "spark.buffer.pageSize": "1m",
        "spark.databricks.delta.snapshotPartitions": "2",
        # VACUUM lists a table's folders in as many tasks, by default 10,000.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": " ".join(_java_options(jars[0].parent)),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _java_options(jars: Path) -> Iterator[str]:
    """Give the archive of classes to the JVM where setup made one: starting then costs a third less.

    One that does not suit this JVM is passed over; without the last options it would say so in each run. Compiled code
    is given the room that a JVM with both compilers has: with one it is 48 MB, which Spark fills within minutes, and
    from then on methods are thrown away and compiled again without end.
    """
    yield "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m"
    archive = jars.with_name("spark-classes.jsa")
    if archive.exists():
        yield f'"-XX:SharedArchiveFile={archive}" -Xlog:cds=off -Xlog:cds+dynamic=off'
