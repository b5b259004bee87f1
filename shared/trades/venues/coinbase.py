"""Coinbase Exchange: channels `matches` and `heartbeat`, and the trades of a product by REST.

Facts: docs.cdp.coinbase.com/exchange (websocket channels, get product trades, pagination).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

import msgspec

from shared.trades.venues.decoding import READ_ERRORS, Instant, TradeId, microseconds, number_literal, unreadable
from shared.trades.venues.readings import Acknowledged, Heartbeat, Reading, Refused, Snapshot, Traded
from shared.trades.venues.trade import Origin, Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest

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


class _Control(msgspec.Struct):
    type: str
    message: str = ""
    reason: str = ""


_FRAME = msgspec.json.Decoder(_Match | _LastMatch | _Heartbeat).decode
_CONTROL = msgspec.json.Decoder(_Control).decode
_HISTORY = msgspec.json.Decoder(list[_HistoryTrade]).decode


class Coinbase:
    """Adapter of Coinbase Exchange; `side` is the maker's there, so the taker's is its opposite."""

    name: Final = "coinbase"
    contiguous: Final = True
    silence: Final = timedelta(seconds=5)
    connection_limit: Final = None

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
            if type(content) is _Match:
                return Traded((_trade(content, content.product_id, received_at, "live"),))
            return _reading(content)
        except READ_ERRORS as error:
            return _control(frame, error)

    def newest(self, symbol: str) -> HistoryRequest:
        """Ask for the newest 1,000 trades."""
        return HistoryRequest(f"/products/{symbol}/trades", {"limit": _PAGE})

    def older_than(self, symbol: str, trade_id: int, timestamp: int) -> HistoryRequest:  # noqa: ARG002 - ids suffice here
        """Ask for the 1,000 trades before an id (`after` is the venue's word for older)."""
        return HistoryRequest(f"/products/{symbol}/trades", {"limit": _PAGE, "after": str(trade_id)})

    def read_history(self, request: HistoryRequest, body: bytes, symbol: str, received_at: int) -> HistoryPage:  # noqa: ARG002
        """Read a page, newest first as the venue gives it; raises ValueError where it is not the venue's format."""
        try:
            rows = _HISTORY(body)
        except READ_ERRORS as error:
            raise ValueError(f"not a page of trades: {error}") from error
        trades = tuple(_trade(row, symbol, received_at, "rest") for row in reversed(rows))
        more = bool(trades) and trades[0].trade_id > 1
        return HistoryPage(trades, self.older_than(symbol, trades[0].trade_id, 0) if more else None)


def _reading(content: _Match | _LastMatch | _Heartbeat) -> Reading:
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
        return Refused(": ".join(filter(None, (control.message, control.reason))) or "an error without a message")
    if control.type == "subscriptions" or control.type in _OTHER_CHANNELS:
        return Acknowledged()
    return unreadable(frame, problem)
