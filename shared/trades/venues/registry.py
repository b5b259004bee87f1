"""The venues that can be followed, by name, and where they are reached."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.trades.venues.binance import Binance
from shared.trades.venues.bitstamp import Bitstamp
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.kraken import Kraken
from shared.trades.venues.venue import Venue


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a venue is reached: the websocket's whole URL, and the REST base URL without a trailing slash."""

    websocket_url: str
    rest_url: str


PUBLIC_ENDPOINTS: Final[Mapping[str, Endpoints]] = MappingProxyType(
    {
        "coinbase": Endpoints("wss://ws-feed.exchange.coinbase.com", "https://api.exchange.coinbase.com"),
        "binance": Endpoints("wss://stream.binance.com:9443/ws", "https://api.binance.com"),
        "kraken": Endpoints("wss://ws.kraken.com/v2", "https://api.kraken.com"),
        "bitstamp": Endpoints("wss://ws.bitstamp.net", "https://www.bitstamp.net"),
    }
)

_VENUES: Final = {adapter.name: adapter for adapter in (Coinbase(), Binance(), Kraken(), Bitstamp())}
_LOWER_CASE: Final = frozenset({"bitstamp"})
_MARKET = re.compile(r"([^:]*):([A-Za-z0-9]+(?:[-/][A-Za-z0-9]+)?)(?:=([A-Za-z0-9]+/[A-Za-z0-9]+))?")
_SEPARATORS: Final = {"coinbase": "-", "kraken": "/"}


@dataclass(frozen=True, slots=True)
class WrittenMarket:
    """A market as a setting or a plan writes it; `pair` is the base and quote that it says, None where it says none."""

    text: str
    venue: Venue
    symbol: str
    pair: tuple[str, str] | None

    @property
    def name(self) -> str:
        """Name the market as the ledger does: `coinbase:BTC-USD`."""
        return f"{self.venue.name}:{self.symbol}"


@dataclass(frozen=True, slots=True)
class Market:
    """One symbol of one venue, and the base and quote that it means."""

    venue: Venue
    symbol: str
    base: str
    quote: str

    @property
    def name(self) -> str:
        """Name the market as the ledger does: `coinbase:BTC-USD`."""
        return f"{self.venue.name}:{self.symbol}"


def read_market(text: str) -> WrittenMarket:
    """Read `coinbase:BTC-USD`, or `binance:ADAEUR=ADA/EUR`, which says base and quote, by its form alone.

    Raises ValueError with the rule.
    """
    written = _MARKET.fullmatch(text)
    if not written:
        raise ValueError(f"a market is written venue:SYMBOL, for instance coinbase:BTC-USD, not {text!r}")
    name, symbol, pair = written.groups()
    adapter = venue(name)
    spelled = symbol.lower() if name in _LOWER_CASE else symbol.upper()
    if symbol != spelled:
        raise ValueError(f"{name} writes this market {spelled}, not {symbol}")
    if name in _SEPARATORS:
        adapter.tickers(symbol)
    return WrittenMarket(text, adapter, symbol, _pair(name, symbol, pair))


def _pair(name: str, symbol: str, pair: str | None) -> tuple[str, str] | None:
    if pair is None:
        return None
    base, _, quote = pair.partition("/")
    if symbol.upper() != f"{base}{_SEPARATORS.get(name, '')}{quote}".upper():
        raise ValueError(f"{name}:{symbol} is not the market of {pair}")
    return base, quote


def parse_market(text: str) -> Market:
    """Read a market as `read_market` does; base and quote that it does not say are guessed from the symbol.

    Raises ValueError with the rule, and with the way to write it where the symbol alone can be read in two ways.
    """
    written = read_market(text)
    try:
        pair = written.pair or written.venue.tickers(written.symbol)
    except ValueError as error:
        raise ValueError(f"{error}; write {written.name}=BASE/QUOTE") from error
    return Market(written.venue, written.symbol, *pair)


def venue(name: str) -> Venue:
    """Give the adapter of a venue; raises ValueError that names the known ones."""
    try:
        return _VENUES[name]
    except KeyError:
        raise ValueError(f"there is no venue {name!r}; the known ones are {', '.join(sorted(_VENUES))}") from None
