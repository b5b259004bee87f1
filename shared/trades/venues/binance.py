"""Binance spot: the raw stream `<symbol>@trade`, and old trades by REST.

Facts: binance-spot-api-docs, web-socket-streams.md and rest-api.md (a connection lasts 24 h; pings every 20 s; 6,000
weights a minute, of which a page of trades costs 25: four pages a second; three are asked for).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

import msgspec

from shared.trades.venues import words
from shared.trades.venues.decoding import (
    READ_ERRORS,
    RowReader,
    TradeId,
    first_id,
    number_literal,
    odd_trade,
    unreadable,
)
from shared.trades.venues.readings import Acknowledged, Leaving, Reading, Refused, Traded
from shared.trades.venues.splitting import split
from shared.trades.venues.trade import Origin, Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest, RequestLimit, Symbols

_PAGE = 1000
_LATEST_MS = 253_402_300_799_999
_QUOTES = (
    *("FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USDP", "USD1", "USDE", "BIDR", "IDRT", "EURI", "DOGE"),
    *("AEUR", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY", "GBP", "AUD", "RUB", "UAH", "ZAR", "PLN", "RON"),
    *("ARS", "MXN", "CZK", "COP", "IDR", "NGN", "DAI", "XRP", "TRX", "DOT", "SOL", "PAX", "USD", "VAI"),
)

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=_LATEST_MS)]


class _Trade(msgspec.Struct, tag_field="e", tag="trade", gc=False):
    symbol: str = msgspec.field(name="s")
    trade_id: TradeId = msgspec.field(name="t")
    price: str = msgspec.field(name="p")
    quantity: str = msgspec.field(name="q")
    time: Milliseconds = msgspec.field(name="T")
    buyer_is_maker: bool = msgspec.field(name="m")


class _PastTrade(msgspec.Struct, gc=False):
    trade_id: TradeId = msgspec.field(name="id")
    price: str
    quantity: str = msgspec.field(name="qty")
    time: Milliseconds
    buyer_is_maker: bool = msgspec.field(name="isBuyerMaker")


class _Identity(msgspec.Struct, gc=False):
    trade_id: TradeId = msgspec.field(name="id")
    time: Milliseconds


class _Enveloped(msgspec.Struct):
    """What the address of combined streams wraps each event in."""

    stream: str
    data: msgspec.Raw


class _Market(msgspec.Struct):
    symbol: str
    base: str = msgspec.field(name="baseAsset")
    quote: str = msgspec.field(name="quoteAsset")


class _Markets(msgspec.Struct):
    symbols: list[_Market]


class _Problem(msgspec.Struct):
    code: int
    message: str = msgspec.field(name="msg")


class _Control(msgspec.Struct):
    event: str = msgspec.field(name="e", default="")
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: _Problem | None = None
    code: int | None = None
    message: str = msgspec.field(name="msg", default="")


_FRAME = msgspec.json.Decoder(_Trade).decode
_CONTROL = msgspec.json.Decoder(_Control).decode
_ENVELOPE = msgspec.json.Decoder(_Enveloped).decode
_MARKETS = msgspec.json.Decoder(_Markets).decode
_IDENTITY = msgspec.json.Decoder(_Identity).decode


def _identify(row: msgspec.Raw) -> tuple[int, int, str]:
    known = _IDENTITY(row)
    return known.trade_id, known.time * 1000, ""


_HISTORY = RowReader(msgspec.json.Decoder(list[_PastTrade]).decode, msgspec.json.Decoder(_PastTrade).decode, _identify)


class Binance:
    """Adapter of Binance spot; `m` says that the buyer was the maker, so then the taker sold.

    The venue acknowledges a subscription to a symbol that it does not know, and then sends nothing for it.
    """

    name: Final = "binance"
    contiguous: Final = True
    silence: Final = timedelta(seconds=60)
    connection_limit: Final = timedelta(hours=24)
    request_limit: Final = RequestLimit(burst=20, every=1 / 3)
    words: Final = words.BINANCE

    def symbols_request(self) -> HistoryRequest:
        """Ask for all symbols, without the permissions, which are the longest part of the answer."""
        return HistoryRequest("/api/v3/exchangeInfo", {"showPermissionSets": "false"})

    def read_symbols(self, body: bytes) -> Symbols:
        """Read `symbols` of exchangeInfo; raises ValueError where it is another format."""
        try:
            return {one.symbol: (one.base, one.quote) for one in _MARKETS(body).symbols}
        except READ_ERRORS as error:
            raise ValueError(f"not a list of symbols: {error}") from error

    def complaint(self, body: bytes) -> str:  # noqa: ARG002 - its errors have a status
        """Find none: an error has its own status."""
        return ""

    def tickers(self, symbol: str) -> tuple[str, str]:
        """Split `BTCUSDT` in base and quote; raises ValueError where it can't be read in one way."""
        return split(symbol, _QUOTES)

    def subscribe(self, symbols: Sequence[str]) -> list[str]:
        """Give the one frame that asks for the trade streams of all symbols."""
        streams = [f"{symbol.lower()}@trade" for symbol in symbols]
        return [msgspec.json.encode({"method": "SUBSCRIBE", "params": streams, "id": 1}).decode()]

    def keep_alive(self) -> str | None:
        """Say that the venue pings by itself."""
        return None

    def read(self, frame: bytes | str, received_at: int) -> Reading:
        """Read one frame; never raises."""
        try:
            return _traded(_FRAME(frame), frame, received_at)
        except READ_ERRORS as error:
            return _other(frame, error, received_at)

    def newest(self, symbol: str) -> HistoryRequest:
        """Ask for the newest 1,000 trades."""
        return HistoryRequest("/api/v3/historicalTrades", {"symbol": symbol, "limit": str(_PAGE)})

    def older_than(self, symbol: str, trade_id: int, timestamp: int) -> HistoryRequest:  # noqa: ARG002 - ids suffice here
        """Ask for the up to 1,000 trades that end just before an id; `fromId` names the first of them."""
        first = max(trade_id - _PAGE, 0)
        count = max(trade_id - first, 1)
        query = {"symbol": symbol, "fromId": str(first), "limit": str(count)}
        return HistoryRequest("/api/v3/historicalTrades", query)

    def read_history(self, request: HistoryRequest, body: bytes, symbol: str, received_at: int) -> HistoryPage:
        """Read a page, oldest first as the venue gives it; raises ValueError where it is not the venue's format."""
        trades, rejected = _HISTORY.read(body, lambda row: _trade(row, symbol, received_at, "rest"))
        first = first_id(trades, rejected)
        if first is None:
            first = int(request.query.get("fromId", "0"))
        return HistoryPage(tuple(trades), self.older_than(symbol, first, 0) if first > 0 else None, rejected)


def _trade(one: _Trade | _PastTrade, symbol: str, received_at: int, origin: Origin) -> Trade:
    return Trade(
        "binance",
        symbol,
        one.trade_id,
        number_literal(one.price),
        number_literal(one.quantity),
        "sell" if one.buyer_is_maker else "buy",
        "buyer_is_maker",
        one.time * 1000,
        received_at,
        origin,
    )


def _traded(trade: _Trade, frame: bytes | str, received_at: int) -> Traded:
    try:
        return Traded((_trade(trade, trade.symbol, received_at, "live"),))
    except ValueError as error:
        return odd_trade(frame, error, trade.symbol, trade.trade_id, trade.time * 1000)


def _other(frame: bytes | str, problem: BaseException, received_at: int) -> Reading:
    """Take a frame out of its envelope, or read it as one that is no trade."""
    try:
        inner = bytes(_ENVELOPE(frame).data)
    except READ_ERRORS:
        return _control(frame, problem)
    try:
        return _traded(_FRAME(inner), inner, received_at)
    except READ_ERRORS as error:
        return _control(inner, error)


def _control(frame: bytes | str, problem: BaseException) -> Reading:
    try:
        control = _CONTROL(frame)
    except READ_ERRORS:
        return unreadable(frame, problem)
    if control.event == "serverShutdown":
        return Leaving("serverShutdown")
    if control.error is not None:
        return _refused(control.error.message)
    if control.code is not None:
        return _refused(control.message)
    return Acknowledged() if control.result is not msgspec.UNSET else unreadable(frame, problem)


def _refused(message: str) -> Refused:
    return Refused(message, words.meaning(words.BINANCE, message))
