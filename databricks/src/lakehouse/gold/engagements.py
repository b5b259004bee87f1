"""`gold.engagements`: what each user of the web shop did so far, over all streams.

Each stream is summed up by itself before the sums meet, so nothing multiplies. Items count for the user of their
order; those of an order that is not there yet count for nobody till it comes.
"""

from functools import reduce

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.totals import Part, Totals
from lakehouse.pipelines.table import Column, Table

_USER = "user_id"
_MONEY, _MEAN, _STARS = "decimal(22,2)", "decimal(24,4)", "decimal(10,4)"
_COUNT = "decimal(14,0)"
"""With a sum of money divided by this Spark keeps 17 places, so that rounding once more to four does no harm."""

_PLACES = 4


def build(
    pageviews: DataFrame, stars: DataFrame, orders: DataFrame, items: DataFrame, users: DataFrame, vip_users: DataFrame
) -> DataFrame:
    """Sum up each stream by user, then join the sums, and these with what the lookups say of the user."""
    sums = (
        _counted(pageviews, "pageviews"),
        stars.groupBy(_USER).agg(_mean(F.sum("stars"), "stars").alias("avg_stars")),
        _of_orders(orders),
        _counted(items.join(orders.select("order_id", _USER), "order_id"), "total_items"),
    )
    met = reduce(lambda one, other: one.join(other, _USER, "full"), sums)
    known = users.select(F.col("id").alias(_USER), "user_name", "city")
    vips = vip_users.select(F.col("id").alias(_USER), F.lit(True).alias("is_vip"))
    nothing = dict.fromkeys(("pageviews", "orders", "total_items"), 0)
    total = F.when(F.col("orders") == 0, F.lit(0).cast(_MONEY)).otherwise(F.col("total_orders_value"))
    joined = met.join(known, _USER, "left").join(vips, _USER, "left").fillna({**nothing, "is_vip": False})
    return joined.withColumn("total_orders_value", total)


def _counted(rows: DataFrame, name: str) -> DataFrame:
    return rows.groupBy(_USER).agg(F.count("*").alias(name))


def _of_orders(orders: DataFrame) -> DataFrame:
    """A sum of more digits than its column holds is null, and so is the mean."""
    value = F.try_sum("order_value").cast(_MONEY)
    mean = _mean(value, "order_value").alias("avg_order_value")
    return orders.groupBy(_USER).agg(F.count("*").alias("orders"), value.alias("total_orders_value"), mean)


def _mean(total: Expression, of: str) -> Expression:
    """Give a mean with four places, a half away from zero; Spark's own mean of whole numbers would be a float."""
    return F.round(total.cast(_MONEY) / F.count(of).cast(_COUNT), _PLACES)


TABLE = Table(
    name="engagements",
    comment="What each user did who viewed, starred or ordered anything, over all streams and all time.",
    columns=(
        Column(_USER, "long", "the user", required=True),
        Column("user_name", "string", "the name by which the user logs in; null where unknown", of="users.user_name"),
        Column("city", "string", "the city that the user lives in; null where unknown", of="users.city"),
        Column("pageviews", "long", "views"),
        Column("orders", "long", "orders"),
        Column("total_orders_value", _MONEY, "the orders' values together, in Czech crowns"),
        Column("avg_order_value", _MEAN, "the mean value of an order; null without one"),
        Column("total_items", "long", "items of the orders"),
        Column("avg_stars", _STARS, "the mean of the stars; null without any"),
        Column("is_vip", "boolean", "whether the user is in the lookup of VIPs", required=True),
    ),
    key=(_USER,),
    kind=Totals(
        _USER,
        made_of=(Part("pageviews"), Part("stars"), Part("orders"), Part("items", of="orders", by="order_id")),
        lookups=("users", "vip_users"),
    ),
    inputs=("pageviews", "stars", "orders", "items", "users", "vip_users"),
    build=build,
    sql="engagements",
)
