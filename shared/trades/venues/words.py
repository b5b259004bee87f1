"""What the words and statuses of the venues mean: one table a venue, and the rule that reads it.

Only a venue's own words for "there is no such market" are final, and only for that market. Whatever a table does not
name may pass: it costs a wait, not a market.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.failures import FailureKind


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of a message (lower case, empty for any), the HTTP status it comes with (None for any, or a frame)."""

    text: str
    status: int | None
    kind: FailureKind
    source: str


def meaning(table: Iterable[Words], message: str, status: int | None = None) -> FailureKind:
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
    Words("", 418, _T, f"{_BINANCE_STATUSES}: the address is banned for going on after 429"),
    Words("", 429, _T, _BINANCE_STATUSES),
    Words("", 403, _T, f"{_BINANCE_STATUSES}: the limit of the firewall is violated"),
    Words("", 451, _U, f"{_BINANCE_ERRORS}: a restricted location, which a route out may change"),
    Words("invalid symbol", None, _P, f"{_BINANCE_ERRORS}: -1121"),
    Words("too many requests", None, _T, f"{_BINANCE_ERRORS}: -1003"),
    Words("too many subscriptions", None, _T, f"{_BINANCE_STREAMS}: 1024 streams, 5 messages a second"),
    Words("overloaded", None, _T, f"{_BINANCE_ERRORS}: -1008"),
    Words("invalid request", None, _P, f"{_BINANCE_STREAMS}: error code 2"),
    Words("invalid json", None, _P, f"{_BINANCE_STREAMS}: error code 3"),
)
COINBASE = (
    Words("", 429, _T, _COINBASE_LIMITS),
    Words("rate limit exceeded", None, _T, _COINBASE_LIMITS),
    Words("internal server error", None, _U, _COINBASE_ERRORS),
    Words("notfound", 404, _P, f"{_COINBASE_ERRORS}: an unknown product"),
    Words("not a valid product", None, _P, f"{_COINBASE_ERRORS}: failed to subscribe"),
)
KRAKEN = (
    Words("", 429, _T, _KRAKEN_ERRORS),
    Words("too many requests", None, _T, f"{_KRAKEN_ERRORS}: EGeneral"),
    Words("rate limit exceeded", None, _T, f"{_KRAKEN_ERRORS}: EAPI"),
    Words("throttled", None, _T, f"{_KRAKEN_ERRORS}: EService, until the time that it names"),
    Words("exceeded msg rate", None, _T, _KRAKEN_FRAMES),
    Words("eservice:unavailable", None, _U, _KRAKEN_ERRORS),
    Words("eservice:busy", None, _U, _KRAKEN_ERRORS),
    Words("egeneral:internal error", None, _U, _KRAKEN_ERRORS),
    Words("unknown asset pair", None, _P, f"{_KRAKEN_ERRORS}: EQuery"),
    Words("currency pair not supported", None, _P, _KRAKEN_FRAMES),
)
BITSTAMP = (
    Words("", 429, _T, _BITSTAMP_API),
    Words("rate limit exceeded", None, _T, _BITSTAMP_FRAMES),
    Words("too many requests", None, _T, _BITSTAMP_API),
    Words("not found", 404, _P, f"{_BITSTAMP_API}: an unknown pair"),
    Words("bad subscription string", None, _P, _BITSTAMP_FRAMES),
)
