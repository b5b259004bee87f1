"""Coinbase Exchange: channels `matches` and `heartbeat`, and the trades of a product by REST.

Facts: docs.cdp.coinbase.com/exchange (websocket channels, get product trades, pagination; rate limits: ten public
requests a second, fifteen in a burst; eight are asked for).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

import msgspec

from shared.trades.venues import words
from shared.trades.venues.decoding import (
    READ_ERRORS,
    Instant,
    RowReader,
    TradeId,
    first_id,
    microseconds,
    number_literal,
    odd_trade,
    unreadable,
)
from shared.trades.venues.readings import Acknowledged, Heartbeat, Reading, Refused, Snapshot, Traded
from shared.trades.venues.trade import Origin, Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest, RequestLimit, Symbols

_PAGE = "1000"
_OTHER_CHANNELS = frozenset(
    {"ticker", "snapshot", "l2update", "status", "auction", "received", "open", "done", "change", "activate"}
)


class _HistoryTrade(msgspec.Struct, gc=False):
    trade_id: TradeId
    price: str
    size: str
    side: Literal["buy", "sell"]
    time: Instant


class _Match(_HistoryTrade, tag_field="type", tag="match", gc=False):
    product_id: str


class _LastMatch(_HistoryTrade, tag_field="type", tag="last_match", gc=False):
    product_id: str


class _Heartbeat(msgspec.Struct, tag_field="type", tag="heartbeat", gc=False):
    product_id: str
    last_trade_id: TradeId


class _Identity(msgspec.Struct, gc=False):
    trade_id: TradeId
    time: Instant


class _Product(msgspec.Struct):
    symbol: str = msgspec.field(name="id")
    base: str = msgspec.field(name="base_currency")
    quote: str = msgspec.field(name="quote_currency")


class _Channel(msgspec.Struct):
    name: str = ""
    product_ids: list[str] = []


class _Control(msgspec.Struct):
    type: str
    message: str = ""
    reason: str = ""
    channels: list[_Channel] = []


_FRAME = msgspec.json.Decoder(_Match | _LastMatch | _Heartbeat).decode
_CONTROL = msgspec.json.Decoder(_Control).decode
_PRODUCTS = msgspec.json.Decoder(list[_Product]).decode
_IDENTITY = msgspec.json.Decoder(_Identity).decode


def _identify(row: msgspec.Raw) -> tuple[int, int, str]:
    known = _IDENTITY(row)
    return known.trade_id, microseconds(known.time), ""


_HISTORY = RowReader(
    msgspec.json.Decoder(list[_HistoryTrade]).decode, msgspec.json.Decoder(_HistoryTrade).decode, _identify
)


class Coinbase:
    """Adapter of Coinbase Exchange; `side` is the maker's there, so the taker's is its opposite."""

    name: Final = "coinbase"
    contiguous: Final = True
    silence: Final = timedelta(seconds=5)
    connection_limit: Final = None
    request_limit: Final = RequestLimit(burst=10, every=1 / 8)
    words: Final = words.COINBASE

    def symbols_request(self) -> HistoryRequest:
        """Ask for all products."""
        return HistoryRequest("/products", {})

    def read_symbols(self, body: bytes) -> Symbols:
        """Read the products; raises ValueError where it is another format."""
        try:
            return {one.symbol: (one.base, one.quote) for one in _PRODUCTS(body)}
        except READ_ERRORS as error:
            raise ValueError(f"not a list of products: {error}") from error

    def complaint(self, body: bytes) -> str:  # noqa: ARG002 - its errors have a status
        """Find none: an error has its own status."""
        return ""

    def tickers(self, symbol: str) -> tuple[str, str]:
        """Split `BTC-USD` in base and quote; raises ValueError for any other form."""
        base, _, quote = symbol.partition("-")
        if not base or not quote:
            raise ValueError(f"coinbase writes a market as BASE-QUOTE, for instance BTC-USD, not {symbol!r}")
        return base.upper(), quote.upper()

    def subscribe(self, symbols: Sequence[str]) -> list[str]:
        """Give the one frame that asks for matches and heartbeats of all symbols."""
        wanted = {"type": "subscribe", "product_ids": list(symbols), "channels": ["matches", "heartbeat"]}
        return [msgspec.json.encode(wanted).decode()]

    def keep_alive(self) -> str | None:
        """Say that heartbeats come unasked."""
        return None

    def read(self, frame: bytes | str, received_at: int) -> Reading:
        """Read one frame; never raises."""
        try:
            content = _FRAME(frame)
        except READ_ERRORS as error:
            return _control(frame, error)
        if type(content) is not _Match:
            return _reading(content)
        try:
            return Traded((_trade(content, content.product_id, received_at, "live"),))
        except ValueError as error:
            return odd_trade(frame, error, content.product_id, content.trade_id, microseconds(content.time))

    def newest(self, symbol: str) -> HistoryRequest:
        """Ask for the newest 1,000 trades."""
        return HistoryRequest(f"/products/{symbol}/trades", {"limit": _PAGE})

    def older_than(self, symbol: str, trade_id: int, timestamp: int) -> HistoryRequest:  # noqa: ARG002 - ids suffice here
        """Ask for the 1,000 trades before an id (`after` is the venue's word for older)."""
        return HistoryRequest(f"/products/{symbol}/trades", {"limit": _PAGE, "after": str(trade_id)})

    def read_history(self, request: HistoryRequest, body: bytes, symbol: str, received_at: int) -> HistoryPage:  # noqa: ARG002
        """Read a page, newest first as the venue gives it; raises ValueError where it is not the venue's format."""
        trades, rejected = _HISTORY.read(body, lambda row: _trade(row, symbol, received_at, "rest"))
        first = first_id(trades, rejected)
        older = self.older_than(symbol, first, 0) if first is not None and first > 1 else None
        return HistoryPage(tuple(reversed(trades)), older, rejected)


def _reading(content: _LastMatch | _Heartbeat) -> Reading:
    market = f"coinbase:{content.product_id}"
    if isinstance(content, _Heartbeat):
        return Heartbeat(market, content.last_trade_id)
    return Snapshot(market, content.trade_id, microseconds(content.time))


def _trade(row: _HistoryTrade, symbol: str, received_at: int, origin: Origin) -> Trade:
    return Trade(
        "coinbase",
        symbol,
        row.trade_id,
        number_literal(row.price),
        number_literal(row.size),
        "sell" if row.side == "buy" else "buy",
        "maker_inverted",
        microseconds(row.time),
        received_at,
        origin,
    )


def _control(frame: bytes | str, problem: BaseException) -> Reading:
    try:
        control = _CONTROL(frame)
    except READ_ERRORS:
        return unreadable(frame, problem)
    if control.type == "error":
        message = ": ".join(filter(None, (control.message, control.reason))) or "an error without a message"
        return Refused(message, words.meaning(words.COINBASE, message))
    if control.type == "subscriptions":
        products = dict.fromkeys(one for channel in control.channels for one in channel.product_ids)
        return Acknowledged(tuple(products))
    if control.type in _OTHER_CHANNELS:
        return Acknowledged(())
    return unreadable(frame, problem)
