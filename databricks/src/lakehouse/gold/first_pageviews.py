"""`gold.first_pageviews`: the first page that each user asked for in each full hour."""

from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.gold.pageviews import TIME, VIEW, names_of
from lakehouse.pipelines.kinds.buckets import Buckets, bucket_of
from lakehouse.pipelines.table import Column, Table

HOUR = timedelta(hours=1)


def build(pageviews: DataFrame) -> DataFrame:
    """Take of each user and hour the earliest view; of two at one time that of the lesser id."""
    start = bucket_of(F.col(TIME), HOUR).alias("window_start")
    others = [name for name in names_of(VIEW) if name != "user_id"]
    first = F.min_by(F.struct(*others), F.struct(TIME, "view_id")).alias("first")
    return pageviews.groupBy(start, "user_id").agg(first).select("window_start", "user_id", "first.*")


TABLE = Table(
    name="first_pageviews",
    comment="Each user's first pageview of each full hour (UTC), found though it comes late.",
    columns=(Column("window_start", "timestamp", "when the hour begins, UTC", required=True), *VIEW),
    key=("window_start", "user_id"),
    kind=Buckets("pageviews", HOUR, TIME, "window_start", by=("user_id",)),
    inputs=("pageviews",),
    build=build,
    sql="first_pageviews",
    clustered_by=("window_start", "user_id"),
    time="window_start",
)
