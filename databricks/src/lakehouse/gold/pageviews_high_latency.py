"""`gold.pageviews_high_latency`: views that took longer than two seconds, and the same with who it was that waited.

Of the user these are the login name and the city, and nothing that is personal. A user whom the lookup does not know
takes no view away: it stays, with nulls, and is counted apart.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.gold.pageviews import TIME, VIEW, WINDOW
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.table import Column, Table

SLOW = 2_000
"""Milliseconds; a view that took longer is of high latency."""


def build(pageviews: DataFrame) -> DataFrame:
    """Take the slow views."""
    return pageviews.where(F.col("latency") > SLOW)


def build_enriched(pageviews: DataFrame, users: DataFrame) -> DataFrame:
    """Join the slow views with their users; a view without one stays.

    Nothing says which side is small: there are millions of users, and few views of a pass are slow.
    """
    known = users.select(F.col("id").alias("user_id"), "user_name", "city", F.lit(True).alias("known"))
    both = build(pageviews).join(known, "user_id", "left")
    return both.withColumn("user_is_known", F.coalesce("known", F.lit(False)))


TABLE = Table(
    name="pageviews_high_latency",
    comment="Pageviews that took longer than two seconds.",
    columns=(*VIEW, WINDOW),
    key=("view_id",),
    kind=PerRow("pageviews"),
    inputs=("pageviews",),
    build=build,
    sql="pageviews_high_latency",
    clustered_by=(TIME, "view_id"),
    time=TIME,
)

ENRICHED = Table(
    name="pageviews_high_latency_enriched",
    comment="Pageviews that took longer than two seconds, with their user's login name and city.",
    columns=(
        *VIEW,
        Column("user_name", "string", "the name by which the user logs in; null where unknown", of="users.user_name"),
        Column("city", "string", "the city that the user lives in; null where unknown", of="users.city"),
        Column("user_is_known", "boolean", "whether the lookup of users has this one", required=True),
        WINDOW,
    ),
    key=("view_id",),
    kind=PerRow("pageviews"),
    inputs=("pageviews", "users"),
    build=build_enriched,
    sql="pageviews_high_latency_enriched",
    counted_by="user_is_known",
    clustered_by=(TIME, "view_id"),
    time=TIME,
)
