"""`gold.pageviews_after_low_stars`: what users looked at within ten minutes after they gave few stars.

A view has a row for each time that its user gave low stars in the ten minutes up to it, both ends included.
"""

from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.gold.pageviews import TIME, VIEW
from lakehouse.pipelines.kinds.correlate import Correlate
from lakehouse.pipelines.table import Column, Table

LOW_STARS = 3
"""Fewer stars than these are low."""

AFTER = timedelta(minutes=10)


def build(pageviews: DataFrame, stars: DataFrame) -> DataFrame:
    """Pair views with the low stars before them."""
    low = stars.where(F.col("stars") < LOW_STARS).select("star_id", "starred_at", "stars", F.col("user_id").alias("by"))
    in_time = F.col(TIME).between(F.col("starred_at"), F.col("starred_at") + F.lit(AFTER))
    return pageviews.join(low, (F.col("user_id") == F.col("by")) & in_time)


TABLE = Table(
    name="pageviews_after_low_stars",
    comment="Pageviews within ten minutes after their user gave fewer than three stars, a row for each of these.",
    columns=(
        *VIEW,
        Column("star_id", "string", "the stars that were given", of="stars.star_id", required=True),
        Column("starred_at", "timestamp", "when they were given, UTC", of="stars.starred_at", required=True),
        Column("stars", "long", "how many, 1 or 2", of="stars.stars"),
    ),
    key=("view_id", "star_id"),
    kind=Correlate("pageviews", "stars", AFTER, TIME, "starred_at"),
    inputs=("pageviews", "stars"),
    build=build,
    sql="pageviews_after_low_stars",
    clustered_by=(TIME, "view_id"),
    time=TIME,
)
