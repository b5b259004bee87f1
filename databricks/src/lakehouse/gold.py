"""Silver joined with the lookup: the enriched trades, and beside them those whose ticker the lookup does not know."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.lake.tables import Lake, columns, of_window, on_columns
from lakehouse.streams.silver import SilverTables

ENRICHED = "gold.trades_enriched"
UNMATCHED = "gold.trades_unmatched"
STREAM = "trades"
KEY = ("venue", "market", "trade_id")

SIXTEEN = columns(
    "id string, name string, symbol string, exchange string, quote string, direction string, price decimal(38,18), "
    "volume decimal(38,18), timestamp timestamp, explorer string, marketCapUsd decimal(38,18), "
    "maxSupply decimal(38,18), rank long, changePercent24Hr decimal(38,18), volumeUsd24Hr decimal(38,18), "
    "vwap24Hr decimal(38,18)"
)
"""The columns that readers of `Trades` know; `symbol` is the asset's ticker, `exchange` the venue."""

_IDENTITY = columns("venue string, market string, trade_id long, window_id string")
GOLD = T.StructType([*SIXTEEN, *_IDENTITY])
_WITHOUT = T.StructType([T.StructField("base", T.StringType()), *_IDENTITY])
FROM_LOOKUP = (
    "id",
    "name",
    "symbol",
    "explorer",
    "marketCapUsd",
    "maxSupply",
    "rank",
    "changePercent24Hr",
    "volumeUsd24Hr",
    "vwap24Hr",
)
"""The columns that are taken from the lookup, of those in `contracts/lookups/assets.v1.schema.json`."""


class BadLookup(ValueError):
    """A lookup that lacks columns of the join; says which."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Trades of silver, each in exactly one of the two."""

    enriched: DataFrame
    unmatched: DataFrame


def assets_of(lookup: DataFrame) -> DataFrame:
    """Give a lookup's columns of the join, typed, one row a symbol; raises BadLookup.

    Of several assets with one symbol the best rank is taken, so a trade is never doubled.
    """
    missing = sorted(set(FROM_LOOKUP) - set(lookup.columns))
    if missing:
        raise BadLookup(f"the lookup lacks {missing}; it has {lookup.columns}")
    best = Window.partitionBy("symbol").orderBy(F.col("rank").asc_nulls_last(), "id")
    typed = lookup.select(*[F.col(name).cast(SIXTEEN[name].dataType).alias(name) for name in FROM_LOOKUP])
    return typed.withColumn("_place", F.row_number().over(best)).where("_place = 1").drop("_place")


def joined(trades: DataFrame, assets: DataFrame) -> Joined:
    """Join trades with what `assets_of` gave on base ticker = `symbol`; once, for all that reads the two sides."""
    known = F.col("t.base") == F.col("a.symbol")
    beside = trades.alias("t").join(F.broadcast(assets.alias("a")), known, "left")
    both = beside.select(*map(_gold, GOLD), F.col("t.base").alias("base")).localCheckpoint()
    is_known = F.col("symbol").isNotNull()
    return Joined(enriched=both.where(is_known).drop("base"), unmatched=both.where(~is_known).select(*_WITHOUT.names))


def create_gold(lake: Lake) -> None:
    """Make the tables where they are not there yet."""
    lake.create(ENRICHED, GOLD, KEY)
    lake.create(UNMATCHED, _WITHOUT, ("window_id",))


def write_gold(lake: Lake, found: Joined) -> None:
    """MERGE trades on their identity; a second time changes nothing."""
    _merge(lake, ENRICHED, found.enriched)
    if not found.unmatched.isEmpty():
        _merge(lake, UNMATCHED, found.unmatched)


def rewrite_gold(lake: Lake, found: Joined, window_id: str) -> None:
    """Put a window's rows, joined anew, in the place of what the tables hold of it."""
    own = of_window(window_id)
    lake.replace(ENRICHED, found.enriched, own)
    lake.replace(UNMATCHED, found.unmatched, own)


def trades_of_window(lake: Lake, window_id: str) -> DataFrame:
    """Give what silver holds of a window."""
    return lake.read(SilverTables(STREAM).rows).where(F.col("window_id") == window_id)


def _gold(field: T.StructField) -> Column:
    renamed = {"exchange": "t.venue", "market": "t.symbol"}
    of_lookup = f"a.{field.name}" if field.name in FROM_LOOKUP else f"t.{field.name}"
    return F.col(renamed.get(field.name, of_lookup)).cast(field.dataType).alias(field.name)


def _merge(lake: Lake, name: str, rows: DataFrame, key: Sequence[str] = KEY) -> None:
    merge = lake.delta(name).alias("t").merge(rows.alias("s"), on_columns(key))
    merge.whenMatchedUpdateAll(_differs(rows.columns)).whenNotMatchedInsertAll().execute()


def _differs(names: Sequence[str]) -> Column:
    """Leave equal rows alone, so that a repeated batch rewrites no file."""
    return ~F.struct(*[F.col(f"s.{name}") for name in names]).eqNullSafe(
        F.struct(*[F.col(f"t.{name}") for name in names])
    )
