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
_JOINED: Final = frozenset({"binance", "bitstamp"})
"""They write base and quote together, so that only a setting can say for sure where one ends."""

_MARKET = re.compile(r"([^:]*):([A-Za-z0-9]+(?:[-/][A-Za-z0-9]+)?)(?:=([A-Z0-9]+/[A-Z0-9]+))?")


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


def parse_market(text: str) -> Market:
    """Read `coinbase:BTC-USD`, as settings write it, or `binance:ADAEUR=ADA/EUR`, which says base and quote.

    Raises ValueError with the rule, and with the way to write it where the symbol alone can be read in two ways.
    """
    written = _MARKET.fullmatch(text)
    if not written:
        raise ValueError(f"a market is written venue:SYMBOL, for instance coinbase:BTC-USD, not {text!r}")
    name, symbol, pair = written.groups()
    adapter = venue(name)
    spelled = symbol.lower() if name in _LOWER_CASE else symbol.upper()
    if symbol != spelled:
        raise ValueError(f"{name} writes this market {spelled}, not {symbol}")
    return Market(adapter, symbol, *_tickers(adapter, symbol, pair))


def _tickers(adapter: Venue, symbol: str, pair: str | None) -> tuple[str, str]:
    """Take base and quote as the setting says, or as the symbol can be read."""
    base, _, quote = (pair or "").partition("/")
    if pair and adapter.name in _JOINED and base + quote == symbol.upper():
        return base, quote
    try:
        read = adapter.tickers(symbol)
    except ValueError as error:
        hint = f"; write {adapter.name}:{symbol}=BASE/QUOTE" if adapter.name in _JOINED else ""
        raise ValueError(f"{error}{hint}") from error
    if pair and read != (base, quote):
        raise ValueError(f"{adapter.name}:{symbol} is not the market of {pair}")
    return read


def venue(name: str) -> Venue:
    """Give the adapter of a venue; raises ValueError that names the known ones."""
    try:
        return _VENUES[name]
    except KeyError:
        raise ValueError(f"there is no venue {name!r}; the known ones are {', '.join(sorted(_VENUES))}") from None
