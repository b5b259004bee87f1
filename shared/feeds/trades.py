"""The feed of exchanges as a value; what it does lies in `shared/trades`."""

from datetime import timedelta

from shared.domain.volumes.measurement import MeasuredTable
from shared.feeds.feed import Exchanges, Feed, Stream

FEED = Feed(
    name="trades",
    streams=(Stream("trades/1"),),
    source=Exchanges(markets=("coinbase:BTC-USD", "coinbase:ETH-USD")),
    lead=timedelta(seconds=30),
    grace=timedelta(seconds=20),
    lookups=("assets",),
    measured=(MeasuredTable("trades", "Trades", "trades", 1000, "ingestion"),),
)
