"""`gold.promotions_by_place`: how many promotions there were by day, location and merchant, and what became of them.

In every row matched = promoted + suppressed_by_cap + suppressed_by_cool_down, promoted = sent - sent_beyond + missed,
and sent = delivered + dead + pending. What was sent and is not promoted by the rule over all points is `sent_beyond`.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.day import Day, MadeOf
from lakehouse.pipelines.table import Column, Table

_PLACE = ("location", "merchant")
_KEY = ("day", *_PLACE)
_SUMS = ("matched", "promoted", "suppressed_by_cap", "suppressed_by_cool_down")


def build(promotions_by_user: DataFrame) -> DataFrame:
    """Count; a store whose place the lookup does not say is counted at the blank one."""
    named = promotions_by_user.withColumns({name: F.coalesce(name, F.lit("")) for name in _PLACE})
    was_sent, was_promoted = F.col("sent_at").isNotNull(), F.col("promoted") > 0
    outcome = F.col("outcome")
    return named.groupBy(*_KEY).agg(
        F.count_distinct("appid").alias("users"),
        *[F.sum(name).alias(name) for name in _SUMS],
        F.count_if(was_sent).alias("sent"),
        F.count_if(was_promoted & ~was_sent).alias("missed"),
        F.count_if(was_sent & ~was_promoted).alias("sent_beyond"),
        F.count_if(outcome == "delivered").alias("delivered"),
        F.count_if(outcome != "delivered").alias("dead"),
        F.count_if(was_sent & outcome.isNull()).alias("pending"),
    )


TABLE = Table(
    name="promotions_by_place",
    comment="Promotions by day, location and merchant: how many were promoted, suppressed, sent and missed.",
    columns=(
        Column("day", "date", "the day of the points, UTC", required=True),
        Column("location", "string", "the part of town or the town", of="promotions_by_user.location", required=True),
        Column("merchant", "string", "whose stores", of="promotions_by_user.merchant", required=True),
        Column("users", "long", "users who were near one of the stores while it had a promotion"),
        Column("matched", "long", "promotions that could be had, each counted at every point"),
        Column("promoted", "long", "those of them that the rule gives"),
        Column("suppressed_by_cap", "long", "those for which users got enough that day"),
        Column("suppressed_by_cool_down", "long", "those so soon after another one of the store"),
        Column("sent", "long", "promotions that the app sent to the hub"),
        Column("missed", "long", "promoted ones that the app did not send"),
        Column("sent_beyond", "long", "sent ones that the rule over all points does not give"),
        Column("delivered", "long", "sent ones that the notification hub took"),
        Column("dead", "long", "sent ones that ended before, or were refused, or whose phone is gone"),
        Column("pending", "long", "sent ones of which nothing is told yet"),
    ),
    key=_KEY,
    kind=Day("day", (MadeOf("promotions_by_user", "day"),)),
    inputs=("promotions_by_user",),
    build=build,
    sql="promotions_by_place",
    clustered_by=("day",),
)
