"""The venues the exchange plays."""

from local.exchange.venue import Venue
from local.exchange.venues.binance import Binance
from local.exchange.venues.bitstamp import Bitstamp
from local.exchange.venues.coinbase import Coinbase
from local.exchange.venues.kraken import Kraken


def venues() -> tuple[Venue, ...]:
    """Make one of each."""
    return Coinbase(), Binance(), Kraken(), Bitstamp()
