"""Which lookup a window's trades are joined with."""

from posixpath import dirname

from pyspark.sql import DataFrame, SparkSession

from lakehouse.reference import ReferenceStore, as_frame, read_lookup
from lakehouse.request import RunRequest


def lookup_of(window_id: str, request: RunRequest, *, spark: SparkSession, store: ReferenceStore) -> DataFrame:
    """Give the lookup that the run was given, or for late rows of a former window its own, where it still is."""
    path = request.lookups["assets"]
    if window_id != request.window_id:
        own = store.read(f"{dirname(path)}/{window_id}.parquet")
        if own is not None:
            return as_frame(spark, own)
    return read_lookup(spark, store, path)
