"""`gold.gps_enriched`: points near stores, and which promotions of the store could be had there and then.

What is near, and what may be had, is as the app's `shared.promotions` says; a test holds both to the same promotions.
"""

from zoneinfo import available_timezones

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.gold.globe import COLUMN, ROW, degrees_of, is_on_globe, metres_between, with_cell, with_cells
from lakehouse.lake.tables import columns
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.table import Column, Table

DEFAULT_RADIUS = 250.0
"""Metres from a store up to which its promotions reach, where the lookup does not say."""

WORST_ACCURACY = 100.0
"""Metres; what a phone says less accurately is near nothing."""

_EARLIEST, _LATEST = 0, 4_102_444_800_000_000
"""Microseconds since 1970 up to the end of 2099: a phone that says another time errs."""

_PLACE = ("_latitude", "_longitude")
_STORE = ("_store_latitude", "_store_longitude")
_DEGREES = "decimal(38,18)"


def build(gps: DataFrame, stores: DataFrame, promotions_of_stores: DataFrame) -> DataFrame:
    """Join points with the stores that the phone may be within the radius of: distance less accuracy at most that."""
    reached = F.broadcast(_reached(stores)).alias("s")
    points = _points(gps).alias("p")
    # Rows of latitude are compared before any distance is reckoned, which costs much more.
    is_level = F.abs(F.col(_PLACE[0]) - F.col(_STORE[0])) <= F.col("_height")
    same_cell = (F.col(f"p.{ROW}") == F.col(f"s.{ROW}")) & (F.col(f"p.{COLUMN}") == F.col(f"s.{COLUMN}"))
    near = points.join(reached, same_cell & is_level)
    near = near.withColumn("metres", metres_between(*map(F.col, (*_PLACE, *_STORE))))
    near = near.where(F.col("metres") - F.col("_accuracy") <= F.col("_radius"))
    both = near.join(F.broadcast(_offers(promotions_of_stores)), "store_id", "left")
    return both.withColumn("offers", _to_be_had(F.col("time")))


def _points(gps: DataFrame) -> DataFrame:
    """Take the points that may be near something; an accuracy that is not known counts as 0 m."""
    latitude, longitude = (F.col(name).cast("double") for name in ("latitude", "longitude"))
    accuracy = F.coalesce(F.col("accuracy").cast("double"), F.lit(0.0))
    time = F.unix_micros("time")
    usable = gps.where(
        ~((latitude == 0) & (longitude == 0)) & (accuracy <= WORST_ACCURACY) & (time >= _EARLIEST) & (time < _LATEST)
    )
    read = usable.withColumns({_PLACE[0]: latitude, _PLACE[1]: longitude, "_accuracy": accuracy})
    return with_cell(read, F.col(_PLACE[0]), F.col(_PLACE[1]))


def _reached(stores: DataFrame) -> DataFrame:
    """Give each store that has a place once for every cell from which it may be reached."""
    latitude, longitude = F.col("latitude"), F.col("longitude")
    placed = stores.where(is_on_globe(latitude, longitude)).select(
        "store_id",
        "location",
        "merchant",
        "service_type",
        latitude.alias(_STORE[0]),
        longitude.alias(_STORE[1]),
        F.coalesce("radius", F.lit(DEFAULT_RADIUS)).alias("_radius"),
    )
    reach = F.col("_radius") + WORST_ACCURACY
    tall = placed.withColumn("_height", degrees_of(reach))
    return with_cells(tall, F.col(_STORE[0]), F.col(_STORE[1]), reach)


def _offers(promotions: DataFrame) -> DataFrame:
    """Collect each store's promotions; Spark can't reckon in a time zone that there is not."""
    known = promotions.where(F.col("zone").isin(sorted(available_timezones())))
    one = F.struct("promotion_id", "discount_percent", "valid_from", "valid_to", "opens", "closes", "zone")
    return known.groupBy("store_id").agg(F.sort_array(F.collect_list(one)).alias("_offers"))


def _to_be_had(time: Expression) -> Expression:
    """Take the promotions that are valid at a time at which their store is open."""
    there = F.filter(
        F.coalesce("_offers", F.array()),
        lambda offer: (offer["valid_from"] <= time) & (time < offer["valid_to"]) & _is_open(offer, time),
    )
    return F.transform(
        there,
        lambda offer: F.struct(
            offer["promotion_id"].alias("promotion_id"),
            offer["discount_percent"].alias("discount_percent"),
            offer["valid_to"].alias("valid_until"),
        ),
    )


def _is_open(offer: Expression, time: Expression) -> Expression:
    """Say whether a store is open; one that closes no later than it opens, closes the next day."""
    local = F.from_utc_timestamp(time, offer["zone"])
    minute = F.hour(local) * 60 + F.minute(local)
    after, before = minute >= offer["opens"], minute < offer["closes"]
    return F.when(offer["opens"] < offer["closes"], after & before).otherwise(after | before)


TABLE = Table(
    name="gps_enriched",
    comment="Points of users near stores, one row a point and store, with the promotions that could be had there.",
    columns=(
        Column("appid", "string", "the app on one user's phone", of="gps.appid", required=True),
        Column("time", "timestamp", "the phone's time of the point, UTC", of="gps.time", required=True),
        Column("store_id", "string", "the store", of="stores.store_id", required=True),
        Column("latitude", _DEGREES, "of the point, degrees north", of="gps.latitude"),
        Column("longitude", _DEGREES, "of the point, degrees east", of="gps.longitude"),
        Column("accuracy", _DEGREES, "metres; null where it is not known", of="gps.accuracy"),
        Column("metres", "double", "how far the point is from the store"),
        Column("location", "string", "the part of town or the town that the store is in", of="stores.location"),
        Column("merchant", "string", "whose store it is", of="stores.merchant"),
        Column("service_type", "string", "what it offers", of="stores.service_type"),
        Column(
            "offers",
            T.ArrayType(columns("promotion_id string, discount_percent integer, valid_until timestamp")),
            "the store's promotions that were valid at the point's time while it was open",
        ),
        Column("window_id", "string", "the window of ingestion", of="gps.window_id", required=True),
    ),
    key=("appid", "time", "store_id"),
    kind=PerRow("gps"),
    inputs=("gps", "stores", "promotions_of_stores"),
    build=build,
    clustered_by=("time", "appid"),
    time="time",
)
