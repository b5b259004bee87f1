"""A report on one window for people: what each table has of it, and the verdict where it is closed."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from lakehouse.counting.counted import counted_tables, equations_of
from lakehouse.counting.counts import Counting
from lakehouse.counting.reconciling import as_rows
from lakehouse.lake.tables import Lake
from lakehouse.pipelines.catalogue import pipeline_of
from lakehouse.reference import reference_store
from lakehouse.streams.contract import load_contracts
from lakehouse.window import marker_path, parse_closed


def window_report(lake: Lake, feed: str, streams: Sequence[str], window_id: str, reference_url: str = "") -> DataFrame:
    """Give (stream, stage, name, rows) of a window, as `window_counts` has them but for the database's own counts.

    reference_url: the folder or storage URL of the container `reference`, for the verdict; empty leaves it out.
    """
    pipeline = pipeline_of(feed)
    contracts = [load_contracts(stream)[-1] for stream in streams]
    counting = Counting(lake, counted_tables(feed, contracts, pipeline))
    counting.refresh([window_id])
    marker = reference_store(lake.spark, reference_url, "").read(marker_path(window_id)) if reference_url else None
    rows = [
        (stream, *row)
        for stream in streams
        for row in as_rows(
            counting.of(window_id, stream),
            parse_closed(marker, stream) if marker else None,
            equations_of(stream, pipeline),
        )
    ]
    return lake.spark.createDataFrame(rows, "stream string, stage string, name string, rows long")
