"""What becomes of trades beyond silver: each is joined with its asset, or counted as unmatched."""

from lakehouse.gold import trades_enriched, trades_unmatched
from lakehouse.pipelines.pipeline import Balance, Pipeline

PIPELINE = Pipeline(
    feed="trades",
    tables=(trades_enriched.TABLE, trades_unmatched.TABLE),
    balances=(Balance("trades", ("trades_enriched", "trades_unmatched")),),
)
