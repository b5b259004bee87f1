"""`gold.pageviews_by_method`: how many pages were asked for by each method in each five minutes."""

from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.gold.pageviews import TIME
from lakehouse.pipelines.kinds.buckets import Buckets, bucket_of
from lakehouse.pipelines.table import Column, Table

WIDTH = timedelta(minutes=5)


def build(pageviews: DataFrame) -> DataFrame:
    """Count by the views' own time."""
    start = bucket_of(F.col(TIME), WIDTH).alias("window_start")
    return pageviews.groupBy(start, "http_method").agg(F.count("*").alias("pageviews"))


TABLE = Table(
    name="pageviews_by_method",
    comment="Pageviews by method and five minutes of their own time, late ones where they belong.",
    columns=(
        Column("window_start", "timestamp", "when the five minutes begin, UTC", required=True),
        Column("http_method", "string", "the method of the requests", of="pageviews.http_method", required=True),
        Column("pageviews", "long", "views"),
    ),
    key=("window_start", "http_method"),
    kind=Buckets("pageviews", WIDTH, TIME, "window_start"),
    inputs=("pageviews",),
    build=build,
    sql="pageviews_by_method",
    clustered_by=("window_start",),
    time="window_start",
)
