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
_SYMBOL = re.compile(r"[A-Za-z0-9]+(?:[-/][A-Za-z0-9]+)?")


def venue(name: str) -> Venue:
    """Give the adapter of a venue; raises ValueError that names the known ones."""
    return _adapter(name)


def parse_market(text: str) -> tuple[Venue, str]:
    """Split `coinbase:BTC-USD`, as settings write it, in adapter and symbol; raises ValueError with the rule."""
    name, colon, symbol = text.partition(":")
    if not colon or not _SYMBOL.fullmatch(symbol):
        raise ValueError(f"a market is written venue:SYMBOL, for instance coinbase:BTC-USD, not {text!r}")
    adapter = _adapter(name)
    spelled = symbol.lower() if name in _LOWER_CASE else symbol.upper()
    if symbol != spelled:
        raise ValueError(f"{name} writes this market {spelled}, not {symbol}")
    adapter.tickers(symbol)
    return adapter, symbol


def _adapter(name: str) -> Coinbase | Binance | Kraken | Bitstamp:
    try:
        return _VENUES[name]
    except KeyError:
        raise ValueError(f"there is no venue {name!r}; the known ones are {', '.join(sorted(_VENUES))}") from None
