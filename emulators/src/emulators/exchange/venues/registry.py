"""The venues the exchange plays."""

from emulators.exchange.venue import Venue
from emulators.exchange.venues.binance import Binance
from emulators.exchange.venues.bitstamp import Bitstamp
from emulators.exchange.venues.coinbase import Coinbase
from emulators.exchange.venues.kraken import Kraken


def venues() -> tuple[Venue, ...]:
    """Make one of each."""
    return Coinbase(), Binance(), Kraken(), Bitstamp()
