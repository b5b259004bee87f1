"""Which lookup a window's trades are joined with."""

from posixpath import dirname

from pyspark.sql import DataFrame, SparkSession

from lakehouse.reference import ReferenceStore, as_frame, read_lookup
from lakehouse.window import Order


def lookup_of(window_id: str, order: Order, *, spark: SparkSession, store: ReferenceStore) -> DataFrame:
    """Give the lookup that the run was told to use, or for late rows of a former window its own, where it still is."""
    if window_id != order.window_id:
        own = store.read(f"{dirname(order.lookup_path)}/{window_id}.parquet")
        if own is not None:
            return as_frame(spark, own)
    return read_lookup(spark, store, order.lookup_path)
