"""`gold.promotions_by_user`: what became of the promotions near which a user was, by day and store.

It says what the rule gives for all points that are known, however late they came, and whether the app sent it: the app
decides while points come, so it misses what comes too late for a phone, and what comes while it is away. What became of
a promotion that was sent, the app tells in the stream `deliveries`; of one that still waits it told nothing.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.gold.promotion_rule import DAY, Candidate, Given, Outcome, decided
from lakehouse.pipelines.kinds.day import MadeOf
from lakehouse.pipelines.kinds.days_onward import DaysOnward
from lakehouse.pipelines.kinds.kind import OWN_ROWS
from lakehouse.pipelines.options import Option
from lakehouse.pipelines.table import Column, Table

_KEY = ("day", "appid", "store_id")
_LONGEST_COOL_DOWN = 7
_SECOND = 1_000_000
_DECIDED = pa.schema(
    [
        ("day", pa.date32()),
        ("appid", pa.string()),
        ("store_id", pa.string()),
        ("location", pa.string()),
        ("merchant", pa.string()),
        ("matched", pa.int64()),
        ("promoted", pa.int64()),
        ("suppressed_by_cap", pa.int64()),
        ("suppressed_by_cool_down", pa.int64()),
        ("promotion_id", pa.string()),
        ("discount_percent", pa.int64()),
        ("metres", pa.float64()),
        ("point_time", pa.int64()),
        ("valid_until", pa.int64()),
    ]
)
_SPARK_DECIDED = (
    "day date, appid string, store_id string, location string, merchant string, matched long, promoted long, "
    "suppressed_by_cap long, suppressed_by_cool_down long, promotion_id string, discount_percent long, metres double, "
    "point_time long, valid_until long"
)
"""Times are microseconds since 1970 until Spark has the rows again."""


def build(
    gps_enriched: DataFrame,
    promotions: DataFrame,
    deliveries: DataFrame,
    promotions_cap: int,
    promotions_cool_down_seconds: int,
    **own: DataFrame,
) -> DataFrame:
    """Decide user by user, and lay beside it what the app sent. own: what users got before, as the table has it."""

    def of_user(candidates: pa.Table, given: pa.Table) -> pa.Table:
        return _decide(candidates, given, promotions_cap, promotions_cool_down_seconds * _SECOND)

    candidates = _candidates(gps_enriched).groupBy("appid")
    decisions = candidates.cogroup(_given(own[OWN_ROWS]).groupBy("appid")).applyInArrow(of_user, _SPARK_DECIDED)
    times = {name: F.timestamp_micros(name) for name in ("point_time", "valid_until")}
    sent = _sent(promotions).join(_settled(deliveries), list(_KEY), "left")
    both = decisions.withColumns(times).alias("d").join(sent.alias("s"), list(_KEY), "full")
    counts = ("matched", "promoted", "suppressed_by_cap", "suppressed_by_cool_down")
    texts = [F.coalesce(f"d.{name}", f"s.{name}").alias(name) for name in ("location", "merchant")]
    plain = (
        "promotion_id",
        "discount_percent",
        "metres",
        "point_time",
        "valid_until",
        "sent_at",
        "outcome",
        "settled_at",
    )
    return both.select(*_KEY, *texts, *[F.coalesce(name, F.lit(0)).alias(name) for name in counts], *plain)


def _candidates(gps_enriched: DataFrame) -> DataFrame:
    """Give the promotions that could be had, in the fields of `Candidate`."""
    each = gps_enriched.select(
        "appid", "time", "store_id", "metres", "location", "merchant", F.explode("offers").alias("o")
    )
    return each.select(
        "appid",
        F.unix_micros("time").alias("at"),
        "store_id",
        "o.promotion_id",
        "o.discount_percent",
        "metres",
        F.unix_micros("o.valid_until").alias("valid_until"),
        "location",
        "merchant",
    )


def _given(own: DataFrame) -> DataFrame:
    """Give what users got, in the fields of `Given`."""
    return own.where("promoted > 0").select("appid", "store_id", F.unix_micros("point_time").alias("at"))


def _sent(promotions: DataFrame) -> DataFrame:
    """Give what the app sent; of one user, day and store there is one event, as its id is made of these."""
    sent = promotions.groupBy(F.to_date("point_time").alias("day"), "appid", "store_id")
    return sent.agg(
        F.max("location").alias("location"), F.max("merchant").alias("merchant"), F.min("promoted_at").alias("sent_at")
    )


def _settled(deliveries: DataFrame) -> DataFrame:
    """Give what became of what the app sent. What a phone got is delivered, whatever came of a repeat."""
    order = F.struct(F.col("outcome") != "delivered", "settled_at")
    reported = deliveries.groupBy(F.to_date("point_time").alias("day"), "appid", "store_id")
    return reported.agg(
        F.min_by("outcome", order).alias("outcome"),
        F.min_by("settled_at", order).alias("settled_at"),
    )


@dataclass(slots=True)
class _StoreDay:
    """What became of a user's candidates of a store and day. first: of them all; promoted: that which the user got."""

    first: Candidate
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    promoted: Candidate | None = None

    def row(self, appid: str) -> dict[str, Any]:
        found = self.promoted
        return {
            "day": self.first.at // DAY,
            "appid": appid,
            "store_id": self.first.store_id,
            "location": self.first.location,
            "merchant": self.first.merchant,
            "matched": self.outcomes.total(),
            "promoted": self.outcomes["promoted"],
            "suppressed_by_cap": self.outcomes["suppressed_by_cap"],
            "suppressed_by_cool_down": self.outcomes["suppressed_by_cool_down"],
            "promotion_id": found and found.promotion_id,
            "discount_percent": found and found.discount_percent,
            "metres": found and found.metres,
            "point_time": found and found.at,
            "valid_until": found and found.valid_until,
        }


def _decide(candidates: pa.Table, given: pa.Table, cap: int, cool_down: int) -> pa.Table:
    """Decide about one user; where only what the user got before is there, nothing is made of it."""
    days: dict[tuple[int, str], _StoreDay] = {}
    for candidate, outcome in decided(_rows(candidates, Candidate), _rows(given, Given), cap, cool_down):
        found = days.setdefault((candidate.at // DAY, candidate.store_id), _StoreDay(candidate))
        found.outcomes[outcome] += 1
        found.promoted = candidate if outcome == "promoted" else found.promoted
    appid = candidates["appid"][0].as_py() if candidates.num_rows else ""
    return pa.Table.from_pylist([one.row(appid) for one in days.values()], schema=_DECIDED)


def _rows(table: pa.Table, kind: type[Any]) -> Iterator[Any]:
    columns = [table[name].to_pylist() for name in kind._fields]
    return map(kind._make, zip(*columns, strict=True))


OPTIONS = (
    Option("promotions_cap", 3, least=1, greatest=1000, meaning="promotions a user gets a day, as PROMOTIONS_CAP says"),
    Option(
        "promotions_cool_down_seconds",
        4 * 3600,
        least=0,
        greatest=_LONGEST_COOL_DOWN * 86_400,
        meaning="for how long a store's promotion keeps others of it away, as PROMOTIONS_COOL_DOWN says",
    ),
)

TABLE = Table(
    name="promotions_by_user",
    comment="Promotions of stores near which a user was, by day and store: promoted or suppressed, and sent or not.",
    columns=(
        Column("day", "date", "the day of the points, UTC", required=True),
        Column("appid", "string", "the app on one user's phone", of="promotions.appid", required=True),
        Column("store_id", "string", "the store", of="promotions.store_id", required=True),
        Column("location", "string", "the part of town or the town that it is in", of="promotions.location"),
        Column("merchant", "string", "whose store it is", of="promotions.merchant"),
        Column("matched", "long", "promotions that could be had near it, each counted at every point"),
        Column("promoted", "long", "those of them that the rule gives: 1 or 0, a store has one a day"),
        Column("suppressed_by_cap", "long", "those for which the user got enough that day"),
        Column("suppressed_by_cool_down", "long", "those so soon after another one of the store"),
        Column("promotion_id", "string", "the promotion that the rule gives", of="promotions.promotion_id"),
        Column("discount_percent", "long", "its discount"),
        Column("metres", "double", "how far the user was from the store"),
        Column("point_time", "timestamp", "when the user was there, UTC"),
        Column("valid_until", "timestamp", "when the promotion ends, UTC"),
        Column("sent_at", "timestamp", "when the app sent one to the hub; null where it sent none"),
        Column("outcome", "string", "what became of the one it sent; null while it waits", of="deliveries.outcome"),
        Column("settled_at", "timestamp", "when that was settled, UTC"),
    ),
    key=_KEY,
    kind=DaysOnward(
        by="appid",
        day="day",
        made_of=(
            MadeOf("gps_enriched", "time"),
            MadeOf("promotions", "point_time"),
            MadeOf("deliveries", "point_time"),
        ),
        days_before=_LONGEST_COOL_DOWN,
    ),
    inputs=("gps_enriched", "promotions", "deliveries", OWN_ROWS),
    options=OPTIONS,
    build=build,
    sql="promotions_by_user",
    clustered_by=_KEY,
)
