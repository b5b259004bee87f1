"""`gold.trades_enriched`: each trade whose base ticker the lookup of assets knows, with what it says of the asset."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.table import Column, Table

_AMOUNT = "decimal(38,18)"


def listed(assets: DataFrame) -> DataFrame:
    """Give the assets that trades are enriched with: of each symbol its best asset, where that has a max supply."""
    return assets.where(F.col("maxSupply").isNotNull())


def build(trades: DataFrame, assets: DataFrame) -> DataFrame:
    """Join trades with assets on base ticker = symbol."""
    known = F.col("t.base") == F.col("a.symbol")
    both = trades.alias("t").join(F.broadcast(listed(assets).alias("a")), known)
    return both.selectExpr(*[f"{_source(column)} AS {column.name}" for column in COLUMNS])


def _source(column: Column) -> str:
    of_input, _, name = column.of.partition(".")
    return f"{'a' if of_input == 'assets' else 't'}.{name}"


COLUMNS = (
    Column("id", "string", "CoinCap's id of the asset", of="assets.id"),
    Column("name", "string", "the asset's name", of="assets.name"),
    Column("symbol", "string", "the asset's ticker, which is the trade's base", of="assets.symbol"),
    Column("exchange", "string", "the venue, as readers of Trades know it", of="trades.venue", length=32),
    Column("quote", "string", "ticker of what was paid in", of="trades.quote"),
    Column("direction", "string", "the taker's side, buy or sell", of="trades.direction", length=8),
    Column("price", _AMOUNT, "price in the quote currency", of="trades.price"),
    Column("volume", _AMOUNT, "how much of the base was traded", of="trades.volume"),
    Column("timestamp", "timestamp", "the exchange's time, UTC", of="trades.timestamp", required=True),
    Column("explorer", "string", "web address of the asset's block explorer", of="assets.explorer"),
    Column("marketCapUsd", _AMOUNT, "the asset's market capitalisation in US dollars", of="assets.marketCapUsd"),
    Column("maxSupply", _AMOUNT, "how many units of the asset there will ever be", of="assets.maxSupply"),
    Column("rank", "long", "the asset's place by market capitalisation", of="assets.rank"),
    Column("changePercent24Hr", _AMOUNT, "change of price in 24 h, per cent", of="assets.changePercent24Hr"),
    Column("volumeUsd24Hr", _AMOUNT, "US dollars traded in 24 h", of="assets.volumeUsd24Hr"),
    Column("vwap24Hr", _AMOUNT, "volume-weighted average price of 24 h in US dollars", of="assets.vwap24Hr"),
    Column(
        "venue", "string", "the venue; with market and trade_id the key", of="trades.venue", length=32, required=True
    ),
    Column("market", "string", "the market in the venue's own spelling", of="trades.symbol", length=64, required=True),
    Column("trade_id", "long", "the venue's number of the trade", of="trades.trade_id", required=True),
    Column("window_id", "string", "the window of ingestion", of="trades.window_id", length=64, required=True),
)

TABLE = Table(
    name="trades_enriched",
    comment="Trades whose base ticker is in the lookup of assets, one row a trade, published as Trades.",
    columns=COLUMNS,
    key=("venue", "market", "trade_id"),
    kind=PerRow("trades"),
    inputs=("trades", "assets"),
    build=build,
    sql="Trades",
    pushed=True,
    time="timestamp",
)
