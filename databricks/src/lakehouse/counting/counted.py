"""Which tables are counted for a stream, and how a row of each counts."""

from collections.abc import Iterator, Sequence
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.counting.counts import BRONZE, DUPLICATES, QUARANTINED, SILVER, CountedTable
from lakehouse.counting.reconciling import Equations
from lakehouse.lake.tables import CHANGE, as_inserts
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.table import Table
from lakehouse.streams.contract import CLEANED, Contract
from lakehouse.streams.events import (
    attempt_of_event,
    events_of_windows,
    records_of_event,
    slice_of_event,
    window_of_event,
)
from lakehouse.streams.silver_tables import SilverTables


def counted_tables(feed: str, contracts: Sequence[Contract], pipeline: Pipeline) -> list[CountedTable]:
    """Name all tables in which a run's windows are counted: each stream's own, and the pipeline's that have windows.

    contracts: the newest of each stream.
    """
    of_streams = [one for contract in contracts for one in _of_stream(feed, contract)]
    gold = [_of_gold(table, pipeline) for table in pipeline.tables if table.has_windows]
    return [*of_streams, *gold]


def stream_of(table: Table, pipeline: Pipeline) -> str:
    """Name the stream that a table's rows account for: its balance's, else that of the first that it follows."""
    balanced = [one.stream for one in pipeline.balances if table.name in one.tables]
    followed = (*balanced, *table.kind.follows)[0]
    made_of = [one for one in pipeline.tables if one.name == followed and one != table]
    return stream_of(made_of[0], pipeline) if made_of else followed


def equations_of(stream: str, pipeline: Pipeline) -> Equations:
    """Say what must hold of a stream's tables."""
    own = [table for table in pipeline.tables if table.sql and stream_of(table, pipeline) == stream]
    return Equations(
        balances=[one.tables for one in pipeline.balances if one.stream == stream],
        published={table.name: table.sql for table in own if table.has_windows},
        layers={table.name: table.layer for table in pipeline.tables},
        is_counted=stream not in pipeline.answers,
    )


def arrivals(events: DataFrame, feed: str) -> DataFrame:
    """Give what a frame of bronze holds by window, slice (`name`) and attempt: events, and the records in them."""
    grouped = _events(as_inserts(events), feed).groupBy("window_id", "name", "attempt")
    return grouped.agg(F.sum("events").alias("events"), F.sum("rows").alias("records")).orderBy("window_id", "name")


def _of_stream(feed: str, contract: Contract) -> Iterator[CountedTable]:
    stream, rules = contract.stream, tuple(rule.name for _, rule in contract.cleaning)
    tables = SilverTables(stream)
    yield CountedTable(f"bronze.{stream}", stream, BRONZE, lambda rows: _events(rows, feed), partial(_events_of, feed))
    yield CountedTable(tables.rows, stream, SILVER, _rows_and_rules if rules else _rows, rules=rules)
    yield CountedTable(tables.duplicates, stream, DUPLICATES, _rows)
    yield CountedTable(tables.quarantine, stream, QUARANTINED, lambda rows: _rows(rows, count=F.col("rows")))


def _of_gold(table: Table, pipeline: Pipeline) -> CountedTable:
    name = F.coalesce(F.col(table.counted_by).cast("string"), F.lit("")) if table.counted_by else None
    return CountedTable(table.lake_name, stream_of(table, pipeline), table.name, lambda rows: _rows(rows, name=name))


def _rows_and_rules(rows: DataFrame) -> DataFrame:
    """Count each row once without a name, and once by the name of each rule that met it."""
    met = F.coalesce(F.col(CLEANED), F.array().cast("array<string>"))
    return _rows(rows.withColumn("_name", F.explode(F.array_append(met, ""))), name=F.col("_name"))


def _rows(rows: DataFrame, *, name: Column | None = None, count: Column | None = None) -> DataFrame:
    one = F.lit(1).cast("long")
    return rows.select(
        "window_id",
        (F.lit("") if name is None else name).alias("name"),
        F.lit(0).alias("attempt"),
        (one if count is None else count).alias("rows"),
        one.alias("events"),
        CHANGE,
    )


def _events(rows: DataFrame, feed: str) -> DataFrame:
    return rows.select(
        window_of_event(feed).alias("window_id"),
        slice_of_event(feed).alias("name"),
        attempt_of_event(feed).alias("attempt"),
        records_of_event().alias("rows"),
        F.lit(1).cast("long").alias("events"),
        CHANGE,
    )


def _events_of(feed: str, events: DataFrame, windows: Sequence[str]) -> DataFrame:
    return events_of_windows(events, feed, windows)
