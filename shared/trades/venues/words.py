"""What the words and statuses of the venues mean: one table a venue, and the rule that reads it.

Only a venue's own words for "there is no such market" are final, and only for that market. Whatever a table does not
name may pass: it costs a wait, not a market.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.failures import FailureKind


@dataclass(frozen=True, slots=True)
class VenueWords:
    """A piece of a message (lower case, empty for any), the HTTP status it comes with (None for any, or a frame)."""

    text: str
    status: int | None
    kind: FailureKind
    source: str


def meaning(table: Iterable[VenueWords], message: str, status: int | None = None) -> FailureKind:
    """Give what a venue's message means; the first row that fits holds, and what no row fits may pass."""
    lowered = message.lower()
    for row in table:
        if row.status in {None, status} and row.text in lowered:
            return row.kind
    return FailureKind.UNAVAILABLE


_T, _U, _P = FailureKind.THROTTLED, FailureKind.UNAVAILABLE, FailureKind.PERMANENT
_BINANCE_STATUSES = "binance-spot-api-docs, rest-api.md, HTTP return codes"
_BINANCE_ERRORS = "binance-spot-api-docs, errors.md"
_BINANCE_STREAMS = "binance-spot-api-docs, web-socket-streams.md"
_COINBASE_LIMITS = "docs.cdp.coinbase.com/exchange, rate limits"
_COINBASE_ERRORS = "docs.cdp.coinbase.com/exchange, websocket overview and REST errors"
_KRAKEN_ERRORS = "docs.kraken.com/api, spot errors"
_KRAKEN_FRAMES = "docs.kraken.com/api, websocket v2 trade and FAQ"
_BITSTAMP_API = "www.bitstamp.net/api, request limits and errors"
_BITSTAMP_FRAMES = "www.bitstamp.net/websocket/v2"

BINANCE = (
    VenueWords("", 418, _T, f"{_BINANCE_STATUSES}: the address is banned for going on after 429"),
    VenueWords("", 429, _T, _BINANCE_STATUSES),
    VenueWords("", 403, _T, f"{_BINANCE_STATUSES}: the limit of the firewall is violated"),
    VenueWords("", 451, _U, f"{_BINANCE_ERRORS}: a restricted location, which a route out may change"),
    VenueWords("invalid symbol", None, _P, f"{_BINANCE_ERRORS}: -1121"),
    VenueWords("too many requests", None, _T, f"{_BINANCE_ERRORS}: -1003"),
    VenueWords("too many subscriptions", None, _T, f"{_BINANCE_STREAMS}: 1024 streams, 5 messages a second"),
    VenueWords("overloaded", None, _T, f"{_BINANCE_ERRORS}: -1008"),
    VenueWords("invalid request", None, _P, f"{_BINANCE_STREAMS}: error code 2"),
    VenueWords("invalid json", None, _P, f"{_BINANCE_STREAMS}: error code 3"),
)
COINBASE = (
    VenueWords("", 429, _T, _COINBASE_LIMITS),
    VenueWords("rate limit exceeded", None, _T, _COINBASE_LIMITS),
    VenueWords("internal server error", None, _U, _COINBASE_ERRORS),
    VenueWords("notfound", 404, _P, f"{_COINBASE_ERRORS}: an unknown product"),
    VenueWords("not a valid product", None, _P, f"{_COINBASE_ERRORS}: failed to subscribe"),
)
KRAKEN = (
    VenueWords("", 429, _T, _KRAKEN_ERRORS),
    VenueWords("too many requests", None, _T, f"{_KRAKEN_ERRORS}: EGeneral"),
    VenueWords("rate limit exceeded", None, _T, f"{_KRAKEN_ERRORS}: EAPI"),
    VenueWords("throttled", None, _T, f"{_KRAKEN_ERRORS}: EService, until the time that it names"),
    VenueWords("exceeded msg rate", None, _T, _KRAKEN_FRAMES),
    VenueWords("eservice:unavailable", None, _U, _KRAKEN_ERRORS),
    VenueWords("eservice:busy", None, _U, _KRAKEN_ERRORS),
    VenueWords("egeneral:internal error", None, _U, _KRAKEN_ERRORS),
    VenueWords("unknown asset pair", None, _P, f"{_KRAKEN_ERRORS}: EQuery"),
    VenueWords("currency pair not supported", None, _P, _KRAKEN_FRAMES),
)
BITSTAMP = (
    VenueWords("", 429, _T, _BITSTAMP_API),
    VenueWords("rate limit exceeded", None, _T, _BITSTAMP_FRAMES),
    VenueWords("too many requests", None, _T, _BITSTAMP_API),
    VenueWords("exceeded rate limit", None, _T, f"{_BITSTAMP_API}: response code 400.002"),
    VenueWords("not found", 404, _P, f"{_BITSTAMP_API}: an unknown pair"),
    VenueWords("bad subscription string", None, _P, _BITSTAMP_FRAMES),
)
