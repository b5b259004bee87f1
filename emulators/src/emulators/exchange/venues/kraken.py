"""Kraken spot, websocket v2 channel `trade`, and trades by REST.

Sources: docs.kraken.com/api/docs/websocket-v2 (trade, heartbeat, status, ping),
docs.kraken.com/api/docs/rest-api/get-recent-trades and docs.kraken.com/exchange/guides/rest/ratelimits.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from itertools import groupby, islice
from typing import Any

import msgspec

from emulators.exchange.instants import SECOND, to_text
from emulators.exchange.limits import Bucket, RequestLimit
from emulators.exchange.market import Trade
from emulators.exchange.venue import Listings, Opening, Page, PageMaker, PageRequest, broken, encode, raw

_SNAPSHOT = 50
_MOST = 1_000
_NANO = 1_000
_SECONDS_BELOW = 10**11
_LEGACY = {"BTC/USD": "XXBTZUSD", "ETH/USD": "XETHZUSD"}


class Kraken:
    """The venue. Numbers are JSON numbers; `side` is the taker's; heartbeats come when nothing else does."""

    name = "kraken"
    sockets = ("/v2",)
    subscribe_within: float | None = None
    ping_every: float | None = None
    pong_within = 60.0

    def converse(self, opening: Opening, listings: Listings, clock: Callable[[], int]) -> "KrakenDialogue":
        """Begin a dialogue; it opens with the status."""
        del opening
        return KrakenDialogue(listings, clock)

    def pages(self) -> Mapping[str, PageMaker]:
        """Serve recent trades, and the list of pairs."""
        return {"/0/public/Trades": trades_page, "/0/public/AssetPairs": pairs_page}

    def limits(self) -> tuple[RequestLimit, ...]:
        """Allow fifteen requests in a burst and one a second; who goes on asking waits longer.

        The refusal stands in an answer with status 200, as all errors of this venue do.
        """
        return (Bucket(15, 1.0, status=HTTPStatus.OK, strict=True),)

    def refusal(self, status: int, words: str | None = None) -> bytes:
        """Write `{"error": [...]}`, the venue's error shape."""
        is_limit = status in {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
        return encode({"error": [words or ("EGeneral:Too many requests" if is_limit else "EService:Unavailable")]})

    def error_frame(self, words: str | None = None) -> bytes:
        """Write the refusal of a subscription that names no symbol."""
        return encode({"method": "subscribe", "success": False, "error": words or "Exceeded msg rate"})

    def shutdown_notice(self, now: int) -> list[bytes]:
        """Write a status update: the system goes to maintenance."""
        del now
        return [_status("maintenance")]

    def unknown_frame(self, now: int) -> bytes:
        """Write a frame of a channel that is not documented."""
        return encode({"channel": "weather", "type": "update", "data": [{"timestamp": to_text(now)}]})

    def malformed_frame(self, now: int) -> bytes:
        """Break a trade update off."""
        return broken(encode({"channel": "trade", "type": "update", "data": [{"timestamp": to_text(now)}]}))


class KrakenDialogue:
    """The symbols of one connection, and when something was last sent to it."""

    def __init__(self, listings: Listings, clock: Callable[[], int]) -> None:
        """Begin with no subscription."""
        self._listings = listings
        self._clock = clock
        self._symbols: dict[str, None] = {}
        self._last_sent = 0

    @property
    def subscribed(self) -> bool:
        """Say whether any symbol is subscribed to."""
        return bool(self._symbols)

    def greet(self, now: int) -> list[bytes]:
        """Give the system's status."""
        del now
        return [_status("online")]

    def receive(self, text: str, now: int) -> list[bytes]:
        """Answer subscribe and unsubscribe once a symbol, ping with pong."""
        try:
            request = msgspec.json.decode(text, type=_Request)
        except msgspec.MsgspecError as error:
            return [encode({"error": f"Malformed request: {error}", "success": False} | _times(now))]
        if request.method == "ping":
            return [encode({"method": "pong"} | request.echo() | _times(now))]
        if request.method not in {"subscribe", "unsubscribe"}:
            return [_refused(request, "Unsupported method", now)]
        if request.params.channel != "trade":
            return [_refused(request, "Channel not supported", now)]
        if not request.params.symbol:
            return [_refused(request, "Symbol(s) not found", now)]
        answer = self._subscribe if request.method == "subscribe" else self._unsubscribe
        return [frame for symbol in request.params.symbol for frame in answer(symbol, request, now)]

    def trade_frames(self, trades: Sequence[Trade], now: int) -> list[bytes]:
        """Write one `update` a run of trades of the same symbol."""
        mine = [trade for trade in trades if trade.symbol in self._symbols]
        if mine:
            self._last_sent = now
        return [_trades("update", list(run)) for _, run in groupby(mine, key=lambda trade: trade.symbol)]

    def beat(self, now: int) -> list[bytes]:
        """Write a `heartbeat` where nothing was sent for a second."""
        quiet = self.subscribed and now - self._last_sent >= SECOND
        return [encode({"channel": "heartbeat"})] if quiet else []

    def _subscribe(self, symbol: str, request: "_Request", now: int) -> list[bytes]:
        if symbol not in self._listings.symbols:
            return [_refused(request, f"Currency pair not supported {symbol}", now, symbol=symbol)]
        if symbol in self._symbols:
            return [_refused(request, "Already subscribed", now, symbol=symbol)]
        self._symbols[symbol] = None
        recent = self._listings.published(symbol, _SNAPSHOT, self._clock())
        frames = [_accepted(request, symbol, now)]
        if request.params.snapshot and recent:
            frames.append(_trades("snapshot", recent))
        return frames

    def _unsubscribe(self, symbol: str, request: "_Request", now: int) -> list[bytes]:
        if symbol not in self._symbols:
            return [_refused(request, "Subscription Not Found", now, symbol=symbol)]
        del self._symbols[symbol]
        return [_accepted(request, symbol, now)]


class _Params(msgspec.Struct):
    channel: str = ""
    symbol: list[str] = []
    snapshot: bool = False


class _Request(msgspec.Struct):
    method: str
    params: _Params = msgspec.field(default_factory=_Params)
    req_id: int | None = None

    def echo(self) -> dict[str, Any]:
        return {} if self.req_id is None else {"req_id": self.req_id}


def trades_page(request: PageRequest, listings: Listings) -> Page:
    """Give trades, oldest first: `GET /0/public/Trades?pair=&since=&count=`.

    `since` (seconds or nanoseconds, excluded) begins the page, without it the latest come; 1,000 by default and at
    most. Rows are `[price, volume, time, b|s, l|m, misc, trade_id]`; `last` is the next `since`, in nanoseconds.
    Errors come with status 200, as the venue's do.
    """
    symbol = _symbol_of(request.query.get("pair", ""), listings)
    history = listings.history(symbol, request.now)
    if history is None:
        return _failed("EQuery:Unknown asset pair")
    try:
        count = min(request.whole_number("count", _MOST) or _MOST, _MOST)
        since = _nanoseconds(request.query["since"]) if "since" in request.query else None
    except (ValueError, InvalidOperation):
        return _failed("EGeneral:Invalid arguments")
    if since is None:
        trades = list(islice(history.newest_first(), count))[::-1]
    else:
        trades = list(islice(history.later_than(since // _NANO), count))
    last = trades[-1].time * _NANO if trades else since or 0
    name = _LEGACY.get(symbol, symbol.replace("/", ""))
    result = {name: [_trade_row(trade) for trade in trades], "last": str(last)}
    return Page(encode({"error": [], "result": result}))


def pairs_page(request: PageRequest, listings: Listings) -> Page:
    """List the pairs, in the older names: `GET /0/public/AssetPairs`; `wsname` is `XBT/USD` of `BTC/USD`."""
    del request
    pairs = {symbol: (_older_name(base), _older_name(quote)) for symbol, (base, quote) in listings.pairs.items()}
    result = {
        _LEGACY.get(symbol, base + quote): {
            "altname": base + quote,
            "wsname": f"{base}/{quote}",
            "base": f"X{base}",
            "quote": f"Z{quote}",
            "status": "online",
        }
        for symbol, (base, quote) in pairs.items()
    }
    return Page(encode({"error": [], "result": result}))


def _older_name(asset: str) -> str:
    return {"BTC": "XBT", "DOGE": "XDG"}.get(asset, asset)


def _symbol_of(pair: str, listings: Listings) -> str:
    for symbol in listings.symbols:
        plain = symbol.replace("/", "")
        if pair in {symbol, plain, plain.replace("BTC", "XBT"), _LEGACY.get(symbol, plain)}:
            return symbol
    return pair


def _nanoseconds(since: str) -> int:
    value = Decimal(since)
    if not value.is_finite() or value < 0:
        raise ValueError(since)
    return int(value * SECOND * _NANO) if value < _SECONDS_BELOW else int(value)


def _trade_row(trade: Trade) -> list[Any]:
    seconds = raw(f"{trade.time // SECOND}.{trade.time % SECOND:06d}")
    return [trade.price, trade.size, seconds, trade.taker[0], _order_type(trade)[0], "", trade.trade_id]


def _trades(kind: str, trades: Sequence[Trade]) -> bytes:
    return encode({"channel": "trade", "type": kind, "data": [_trade(trade) for trade in trades]})


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "symbol": trade.symbol,
        "side": trade.taker,
        "price": raw(trade.price),
        "qty": raw(trade.size),
        "ord_type": _order_type(trade),
        "trade_id": trade.trade_id,
        "timestamp": to_text(trade.time),
    }


def _order_type(trade: Trade) -> str:
    return "market" if trade.trade_id % 3 == 0 else "limit"


def _status(system: str) -> bytes:
    data = {"version": "2.0.0", "system": system, "api_version": "v2", "connection_id": zlib.crc32(system.encode())}
    return encode({"channel": "status", "type": "update", "data": [data]})


def _accepted(request: _Request, symbol: str, now: int) -> bytes:
    result: dict[str, Any] = {"channel": "trade", "symbol": symbol}
    if request.method == "subscribe":
        result["snapshot"] = request.params.snapshot
    return encode({"method": request.method, "result": result, "success": True} | request.echo() | _times(now))


def _refused(request: _Request, error: str, now: int, *, symbol: str | None = None) -> bytes:
    about = {"symbol": symbol} if symbol else {}
    return encode({"method": request.method, "error": error, "success": False} | about | request.echo() | _times(now))


def _times(now: int) -> dict[str, str]:
    return {"time_in": to_text(now), "time_out": to_text(now)}


def _failed(error: str) -> Page:
    return Page(encode({"error": [error]}))
