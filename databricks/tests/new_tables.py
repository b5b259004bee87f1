"""Tables that a test made are dropped when it is over: the session's catalog is shared by all tests of a process."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from lakehouse.lake.naming import LAYERS
from lakehouse.lake.tables import Lake


@contextmanager
def new_tables_dropped(spark: SparkSession) -> Iterator[None]:
    """Drop at the block's end each table of the lake that was not there before it."""
    before = _tables(spark)
    yield
    for name in _tables(spark) - before:
        spark.sql(f"DROP TABLE {name}")


def _tables(spark: SparkSession) -> set[str]:
    return {name for layer in LAYERS for name in Lake(spark).tables(layer)}
