"""Kraken websocket v2: channel `trade` without its snapshot.

Facts: docs.kraken.com/api (websocket v2 trade, heartbeat, status; prices are JSON numbers).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

import msgspec

from shared.trades.venues import kraken_history
from shared.trades.venues.decoding import READ_ERRORS, Instant, TradeId, microseconds, raw_number, unreadable
from shared.trades.venues.readings import Acknowledged, Heartbeat, Leaving, Reading, Refused, Traded
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest


class _Trade(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["buy", "sell"]
    price: msgspec.Raw
    qty: msgspec.Raw
    trade_id: TradeId
    timestamp: Instant


class _Trades(msgspec.Struct, tag_field="channel", tag="trade", gc=False):
    data: list[_Trade]


class _Status(msgspec.Struct):
    system: str = ""


class _Control(msgspec.Struct):
    channel: str = ""
    data: list[_Status] = []
    method: str = ""
    success: bool = True
    error: str = ""


_FRAME = msgspec.json.Decoder(_Trades).decode
_CONTROL = msgspec.json.Decoder(_Control).decode


class Kraken:
    """Adapter of Kraken v2; `side` is the taker's there."""

    name: Final = "kraken"
    contiguous: Final = True
    silence: Final = timedelta(seconds=5)
    connection_limit: Final = None

    def tickers(self, symbol: str) -> tuple[str, str]:
        """Split `BTC/USD` in base and quote; raises ValueError for any other form."""
        base, _, quote = symbol.partition("/")
        if not base or not quote:
            raise ValueError(f"kraken writes a market as BASE/QUOTE, for instance BTC/USD, not {symbol!r}")
        return base.upper(), quote.upper()

    def subscribe(self, symbols: Sequence[str]) -> list[str]:
        """Give the one frame that asks for the trades of all symbols; the venue answers once a symbol."""
        wanted = {"channel": "trade", "symbol": list(symbols), "snapshot": False}
        return [msgspec.json.encode({"method": "subscribe", "params": wanted}).decode()]

    def keep_alive(self) -> str | None:
        """Say that heartbeats come unasked."""
        return None

    def read(self, frame: bytes | str, received_at: int) -> Reading:
        """Read one frame, which may hold several trades; never raises."""
        try:
            return Traded(tuple([_trade(one, received_at) for one in _FRAME(frame).data]))
        except READ_ERRORS as error:
            return _control(frame, error)

    def newest(self, symbol: str) -> HistoryRequest:
        """Ask for the newest 1,000 trades."""
        return kraken_history.newest(self.tickers(symbol))

    def older_than(self, symbol: str, trade_id: int, timestamp: int) -> HistoryRequest:
        """Ask for the trades of the last minute before that trade; the reader narrows or widens that span."""
        return kraken_history.older_than(self.tickers(symbol), trade_id, timestamp)

    def read_history(self, request: HistoryRequest, body: bytes, symbol: str, received_at: int) -> HistoryPage:
        """Read a page; raises ValueError where it is not the venue's format or holds the venue's error."""
        return kraken_history.read(request, body, symbol, received_at)


def _trade(one: _Trade, received_at: int) -> Trade:
    return Trade(
        "kraken",
        one.symbol,
        one.trade_id,
        raw_number(one.price),
        raw_number(one.qty),
        one.side,
        "taker",
        microseconds(one.timestamp),
        received_at,
        "live",
    )


def _control(frame: bytes | str, problem: BaseException) -> Reading:
    try:
        control = _CONTROL(frame)
    except READ_ERRORS:
        return unreadable(frame, problem)
    if control.error or not control.success:
        return Refused(control.error or "an error without a message")
    if control.method == "subscribe":
        return Acknowledged()
    if any(status.system == "maintenance" for status in control.data):
        return Leaving("status maintenance")
    known = control.channel in {"heartbeat", "status"} or control.method == "pong"
    return Heartbeat() if known else unreadable(frame, problem)
