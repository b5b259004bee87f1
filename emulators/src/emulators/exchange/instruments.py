"""What is traded on each venue of the synthetic market."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol of one venue, in the venue's own spelling.

    `opening` is the first price and sets the number of price decimals; zeros fill prices and sizes up to `padding`
    decimals. `id_step` is the largest distance between two consecutive trade ids: 1 where the venue's ids are
    contiguous.
    """

    venue: str
    symbol: str
    base: str
    quote: str
    opening: str
    size_digits: int = 8
    id_step: int = 1
    padding: int = 0

    @property
    def price_digits(self) -> int:
        """Count the decimals of a price."""
        return len(self.opening.partition(".")[2])


INSTRUMENTS = (
    Instrument("coinbase", "BTC-USD", "BTC", "USD", "67250.25"),
    Instrument("coinbase", "ETH-USD", "ETH", "USD", "3480.14"),
    Instrument("coinbase", "SOL-USD", "SOL", "USD", "172.36"),
    Instrument("coinbase", "BTC-EUR", "BTC", "EUR", "62110.40"),
    Instrument("binance", "BTCUSDT", "BTC", "USDT", "67251.03", 5, padding=8),
    Instrument("binance", "ETHUSDT", "ETH", "USDT", "3480.52", 4, padding=8),
    Instrument("binance", "SOLUSDT", "SOL", "USDT", "172.41", 3, padding=8),
    Instrument("kraken", "BTC/USD", "BTC", "USD", "67249.8"),
    Instrument("kraken", "ETH/USD", "ETH", "USD", "3480.31"),
    Instrument("kraken", "SOL/USD", "SOL", "USD", "172.39"),
    Instrument("bitstamp", "btcusd", "BTC", "USD", "67248", 8, 9),
    Instrument("bitstamp", "ethusd", "ETH", "USD", "3480.2", 8, 9),
    Instrument("bitstamp", "solusd", "SOL", "USD", "172.3800", 8, 9),
)


def instruments_of(venue: str) -> tuple[Instrument, ...]:
    """List what is traded on `venue`."""
    return tuple(instrument for instrument in INSTRUMENTS if instrument.venue == venue)
