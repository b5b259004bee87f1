"""Binance spot: `trade` streams, raw and combined, and trades by REST.

Sources: github.com/binance/binance-spot-api-docs (web-socket-streams.md, rest-api.md, errors.md).
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from itertools import islice

import msgspec

from emulators.exchange.limits import BANNED, RequestLimit, WeightLimit
from emulators.exchange.market import Trade
from emulators.exchange.venue import Listings, Opening, Page, PageMaker, PageRequest, broken, encode

_SUFFIX = "@trade"
_MOST, _USUAL = 1_000, 500
_MILLI, _MICRO = 1_000, 1
_WEIGHTS = {"/api/v3/trades": 25, "/api/v3/historicalTrades": 25, "/api/v3/exchangeInfo": 20}
_REFUSALS: dict[int, tuple[int, str]] = {
    HTTPStatus.TOO_MANY_REQUESTS: (
        -1003,
        "Too much request weight used; current limit is 6000 request weight per 1 MINUTE.",
    ),
    BANNED: (-1003, "Way too much request weight used; IP banned."),
    HTTPStatus.FORBIDDEN: (-1000, "The limit of the web application firewall was violated."),
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: (0, "Service unavailable from a restricted location."),
}
_METHODS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


class Binance:
    """The venue. It pings every 20 s and closes where no pong came within a minute; `m`: the buyer is the maker.

    Like the venue, it accepts a subscription to a symbol that does not exist and then sends nothing for it; its REST
    pages refuse the symbol (-1121).
    """

    name = "binance"
    sockets = ("/ws", "/ws/{streams:.+}", "/stream")
    subscribe_within: float | None = None
    ping_every: float | None = 20.0
    pong_within = 60.0

    def converse(self, opening: Opening, listings: Listings, clock: Callable[[], int]) -> "BinanceDialogue":
        """Begin a dialogue with the streams of the path or of the query `streams`."""
        streams = opening.streams or opening.query.get("streams", "")
        unit = _MICRO if opening.query.get("timeUnit", "").upper() == "MICROSECOND" else _MILLI
        dialogue = BinanceDialogue(listings, clock, combined=opening.route == "/stream", unit=unit)
        dialogue.listen([stream for stream in streams.split("/") if stream])
        return dialogue

    def pages(self) -> Mapping[str, PageMaker]:
        """Serve recent and historical trades; the exchange's symbols."""
        return {
            "/api/v3/trades": recent_page,
            "/api/v3/historicalTrades": historical_page,
            "/api/v3/exchangeInfo": symbols_page,
        }

    def limits(self) -> tuple[RequestLimit, ...]:
        """Allow 6,000 weight a minute."""
        return (WeightLimit(6_000, _WEIGHTS),)

    def refusal(self, status: int, words: str | None = None) -> bytes:
        """Write `{"code": ..., "msg": ...}`, the venue's error shape."""
        code, usual = _REFUSALS.get(status, (-1008, "Server is currently overloaded with other requests."))
        return _error(code, words or usual)

    def error_frame(self, words: str | None = None) -> bytes:
        """Write `{"code": ..., "msg": ...}`, as an answer to a request."""
        return _error(1, words or "Too many subscriptions")

    def shutdown_notice(self, now: int) -> list[bytes]:
        """Write the `serverShutdown` event."""
        return [encode({"e": "serverShutdown", "E": now // _MILLI})]

    def unknown_frame(self, now: int) -> bytes:
        """Write an event of a type that is not documented."""
        return encode({"e": "marketMood", "E": now // _MILLI, "s": "BTCUSDT"})

    def malformed_frame(self, now: int) -> bytes:
        """Break a trade off."""
        return broken(encode({"e": "trade", "E": now // _MILLI, "s": "BTCUSDT", "t": 1}))


class BinanceDialogue:
    """The streams of one connection, and whether its events are wrapped with their stream's name."""

    def __init__(self, listings: Listings, clock: Callable[[], int], *, combined: bool, unit: int) -> None:
        """Begin with no stream; `unit` is the number of microseconds in one tick of the times written."""
        self._listings = listings
        self._clock = clock
        self._combined = combined
        self._unit = unit
        self._streams: dict[str, None] = {}

    @property
    def subscribed(self) -> bool:
        """Say whether any stream is listened to."""
        return bool(self._streams)

    def listen(self, streams: Sequence[str]) -> None:
        """Add streams by name."""
        self._streams.update(dict.fromkeys(streams))
        for stream in streams:
            self._listings.wake(stream.removesuffix(_SUFFIX).upper(), self._clock())

    def greet(self, now: int) -> list[bytes]:
        """Say nothing."""
        del now
        return []

    def receive(self, text: str, now: int) -> list[bytes]:
        """Answer a request by its id; errors as documented."""
        del now
        try:
            request = msgspec.json.decode(text, type=_Request)
        except msgspec.ValidationError as error:
            return [encode({"code": 2, "msg": f"Invalid request: {error}"})]
        except msgspec.DecodeError as error:
            return [encode({"code": 3, "msg": f"Invalid JSON: {error}"})]
        return [self._answer(request)]

    def trade_frames(self, trades: Sequence[Trade], now: int) -> list[bytes]:
        """Write a `trade` event a trade."""
        return [self._event(trade, now) for trade in trades if trade.symbol.lower() + _SUFFIX in self._streams]

    def beat(self, now: int) -> list[bytes]:
        """Say nothing: the venue's heartbeat is the ping frame."""
        del now
        return []

    def _answer(self, request: "_Request") -> bytes:
        answers = {
            "SUBSCRIBE": self._subscribe,
            "UNSUBSCRIBE": self._unsubscribe,
            "LIST_SUBSCRIPTIONS": self._list,
            "SET_PROPERTY": self._set_property,
            "GET_PROPERTY": self._get_property,
        }
        if answer := answers.get(request.method):
            return answer(request)
        variant = f"unknown variant `{request.method}`, expected one of {_METHODS}"
        return encode({"code": 2, "msg": f"Invalid request: {variant}", "id": request.id})

    def _subscribe(self, request: "_Request") -> bytes:
        streams = [stream for stream in request.params if isinstance(stream, str) and "@" in stream]
        if len(streams) < max(1, len(request.params)):
            return encode({"code": 2, "msg": "Invalid request: wrong stream name", "id": request.id})
        self.listen(streams)
        return _result(None, request)

    def _unsubscribe(self, request: "_Request") -> bytes:
        for stream in request.params:
            self._streams.pop(str(stream), None)
        return _result(None, request)

    def _list(self, request: "_Request") -> bytes:
        return _result(list(self._streams), request)

    def _set_property(self, request: "_Request") -> bytes:
        if request.params[:1] != ["combined"]:
            return encode({"code": 0, "msg": "Unknown property", "id": request.id})
        if not isinstance(value := request.params[-1], bool):
            return encode({"code": 1, "msg": "Invalid value type: expected Boolean"})
        self._combined = value
        return _result(None, request)

    def _get_property(self, request: "_Request") -> bytes:
        if request.params != ["combined"]:
            return encode({"code": 0, "msg": "Unknown property", "id": request.id})
        return _result(self._combined, request)

    def _event(self, trade: Trade, now: int) -> bytes:
        event = {
            "e": "trade",
            "E": now // self._unit,
            "s": trade.symbol,
            "t": trade.trade_id,
            "p": trade.price,
            "q": trade.size,
            "T": trade.time // self._unit,
            "m": trade.taker == "sell",
            "M": True,
        }
        return encode({"stream": trade.symbol.lower() + _SUFFIX, "data": event} if self._combined else event)


class _Request(msgspec.Struct):
    method: str
    params: list[str | bool] = []
    id: int | str | None = None


def recent_page(request: PageRequest, listings: Listings) -> Page:
    """Give the latest trades, oldest first: `GET /api/v3/trades?symbol=&limit=`; 500 by default, at most 1,000."""
    return _trades_page(request, listings, from_id=None)


def historical_page(request: PageRequest, listings: Listings) -> Page:
    """Give trades from an id on, oldest first: `GET /api/v3/historicalTrades?symbol=&limit=&fromId=`."""
    try:
        return _trades_page(request, listings, from_id=request.whole_number("fromId"))
    except ValueError as error:
        return _illegal(error)


def symbols_page(request: PageRequest, listings: Listings) -> Page:
    """List the symbols: `GET /api/v3/exchangeInfo`."""
    symbols = [
        {"symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": quote}
        for symbol, (base, quote) in listings.pairs.items()
    ]
    return Page(encode({"timezone": "UTC", "serverTime": request.clock // _MILLI, "symbols": symbols}))


def _trades_page(request: PageRequest, listings: Listings, *, from_id: int | None) -> Page:
    if not (symbol := request.query.get("symbol")):
        return Page(_error(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."), 400)
    if (history := listings.history(symbol, request.now)) is None:
        return Page(_error(-1121, "Invalid symbol."), 400)
    try:
        limit = min(request.whole_number("limit") or _USUAL, _MOST)
    except ValueError as error:
        return _illegal(error)
    if from_id is None:
        trades = list(islice(history.newest_first(), limit))[::-1]
    else:
        trades = list(islice(history.oldest_first(from_id=from_id), limit))
    unit = _MICRO if request.headers.get("X-MBX-TIME-UNIT", "").upper() == "MICROSECOND" else _MILLI
    return Page(encode([_trade_row(trade, unit) for trade in trades]))


def _trade_row(trade: Trade, unit: int) -> dict[str, object]:
    return {
        "id": trade.trade_id,
        "price": trade.price,
        "qty": trade.size,
        "quoteQty": f"{float(trade.price) * float(trade.size):.8f}",
        "time": trade.time // unit,
        "isBuyerMaker": trade.taker == "sell",
        "isBestMatch": True,
    }


def _illegal(parameter: ValueError) -> Page:
    message = f"Illegal characters found in parameter '{parameter}'; legal range is '^[0-9]{{1,20}}$'."
    return Page(_error(-1100, message), 400)


def _result(result: object, request: _Request) -> bytes:
    return encode({"result": result, "id": request.id})


def _error(code: int, message: str) -> bytes:
    return encode({"code": code, "msg": message})
