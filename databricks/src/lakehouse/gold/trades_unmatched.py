"""`gold.trades_unmatched`: each trade whose base ticker the lookup of assets does not know."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.gold.trades_enriched import listed
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.table import Column, Table


def build(trades: DataFrame, assets: DataFrame) -> DataFrame:
    """Take the trades that `trades_enriched` has not."""
    known = listed(assets).select("symbol").withColumnRenamed("symbol", "ticker")
    rows = trades.join(F.broadcast(known), F.col("base") == F.col("ticker"), "left_anti")
    return rows.withColumnRenamed("symbol", "market")


TABLE = Table(
    name="trades_unmatched",
    comment="Trades whose base ticker is not in the lookup of assets, or whose asset has no max supply.",
    columns=(
        Column("base", "string", "the ticker that the lookup does not know", of="trades.base"),
        Column("venue", "string", "the venue; with market and trade_id the key", of="trades.venue", required=True),
        Column("market", "string", "the market in the venue's own spelling", of="trades.symbol", required=True),
        Column("trade_id", "long", "the venue's number of the trade", of="trades.trade_id", required=True),
        Column("window_id", "string", "the window of ingestion", of="trades.window_id", required=True),
    ),
    key=("venue", "market", "trade_id"),
    kind=PerRow("trades"),
    inputs=("trades", "assets"),
    build=build,
    counted_by="base",
    clustered_by=("window_id",),
)
