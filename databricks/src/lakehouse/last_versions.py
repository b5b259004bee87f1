"""`silver.<feed>_last_versions`: for people, up to which version of what it is made of each table of a feed is.

A run never reads it. What it goes on from stands in the commits of the tables themselves, with the rows that it says
it of (`lakehouse.lake.progress`), so that the two can't come apart. This table repeats that as it is when a run ends;
where a run was killed it is behind until the next one has ended. Each feed has its own, since runs of two feeds may
end at the same time.
"""

from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.lake.naming import LAYERS
from lakehouse.lake.tables import Lake

_COMMENTS = {
    "table": "The table that accounts for another one.",
    "source_table": "The table that it is made of.",
    "last_version": "The version of that up to which its rows are in the table.",
    "last_run_at": "When a run last said so, UTC.",
}
COLUMNS = T.StructType(
    [
        T.StructField(name, kind, metadata={"comment": _COMMENTS[name]})
        for name, kind in zip(_COMMENTS, (T.StringType(), T.StringType(), T.LongType(), T.TimestampType()), strict=True)
    ]
)
_VERSIONS = pa.schema([("table", pa.string()), ("source_table", pa.string()), ("last_version", pa.int64())])


def last_versions_of(feed: str) -> str:
    """Name the feed's table."""
    return f"silver.{feed}_last_versions"


def write_last_versions(lake: Lake, feed: str, tables: Iterable[str]) -> None:
    """Write what these tables, those that are there, say of themselves, in the place of what a former run wrote.

    It is given to Spark as Arrow has it: for Python's own rows a Python process would be started.
    """
    found = [(name, progress) for name in tables if (progress := lake.progress(name)) is not None]
    rows = [
        {"table": name, "source_table": source, "last_version": version}
        for name, progress in found
        for source, version in progress.versions.items()
        if source.partition(".")[0] in LAYERS
    ]
    listed = lake.spark.createDataFrame(pa.Table.from_pylist(rows, _VERSIONS))
    lake.create(last_versions_of(feed), COLUMNS, (), "Up to which version of what it is made of each table is.")
    lake.replace(last_versions_of(feed), listed.withColumn("last_run_at", F.current_timestamp()))
