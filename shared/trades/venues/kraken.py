"""Kraken websocket v2: channel `trade` without its snapshot.

Facts: docs.kraken.com/api (websocket v2 trade, heartbeat, status; prices are JSON numbers; public REST: fifteen
requests in a burst, then one a second). The list of pairs spells names as the first version of the websocket did
(`XBT/USD`).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

import msgspec

from shared.trades.venues import kraken_history, words
from shared.trades.venues.decoding import READ_ERRORS, Instant, RowReader, TradeId, microseconds, raw_number, unreadable
from shared.trades.venues.readings import Acknowledged, Heartbeat, Leaving, Reading, Refused, Traded
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest, RequestLimit, Symbols


class _Trade(msgspec.Struct, gc=False):
    symbol: str
    side: Literal["buy", "sell"]
    price: msgspec.Raw
    qty: msgspec.Raw
    trade_id: TradeId
    timestamp: Instant


class _Trades(msgspec.Struct, tag_field="channel", tag="trade", gc=False):
    data: msgspec.Raw


class _Identity(msgspec.Struct, gc=False):
    symbol: str
    trade_id: TradeId
    timestamp: Instant


class _Pair(msgspec.Struct):
    name: str = msgspec.field(name="wsname", default="")


class _Pairs(msgspec.Struct):
    result: dict[str, _Pair]


class _Subscribed(msgspec.Struct):
    symbol: str = ""


class _Status(msgspec.Struct):
    system: str = ""


class _Control(msgspec.Struct):
    channel: str = ""
    data: list[_Status] = []
    method: str = ""
    success: bool = True
    error: str = ""
    symbol: str = ""
    result: _Subscribed = msgspec.field(default_factory=_Subscribed)


_FRAME = msgspec.json.Decoder(_Trades).decode
_CONTROL = msgspec.json.Decoder(_Control).decode
_PAIRS = msgspec.json.Decoder(_Pairs).decode
_IDENTITY = msgspec.json.Decoder(_Identity).decode
_NEWER_NAMES: Final = {"XBT": "BTC", "XDG": "DOGE"}


def _newer(asset: str) -> str:
    return _NEWER_NAMES.get(asset, asset)


def _identify(row: msgspec.Raw) -> tuple[int, int, str]:
    known = _IDENTITY(row)
    return known.trade_id, microseconds(known.timestamp), known.symbol


_DATA = RowReader(msgspec.json.Decoder(list[_Trade]).decode, msgspec.json.Decoder(_Trade).decode, _identify)


class Kraken:
    """Adapter of Kraken v2; `side` is the taker's there."""

    name: Final = "kraken"
    contiguous: Final = True
    silence: Final = timedelta(seconds=5)
    connection_limit: Final = None
    request_limit: Final = RequestLimit(burst=10, every=1.05)
    words: Final = words.KRAKEN

    def symbols_request(self) -> HistoryRequest:
        """Ask for all pairs."""
        return HistoryRequest("/0/public/AssetPairs", {})

    def read_symbols(self, body: bytes) -> Symbols:
        """Read the pairs, in the names of websocket v2; raises ValueError where it is another format."""
        try:
            names = [pair.name.partition("/") for pair in _PAIRS(body).result.values()]
        except READ_ERRORS as error:
            raise ValueError(f"not a list of pairs: {error}") from error
        pairs = [(_newer(base), _newer(quote)) for base, _, quote in names if base and quote]
        return {f"{base}/{quote}": (base, quote) for base, quote in pairs}

    def complaint(self, body: bytes) -> str:
        """Give the errors of an answer, which come with status 200."""
        return kraken_history.complaint(body)

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
            trades, rejected = _DATA.read(_FRAME(frame).data, lambda one: _trade(one, received_at))
            return Traded(tuple(trades), rejected)
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
        message = control.error or "an error without a message"
        named = (control.symbol,) if control.symbol else ()
        return Refused(message, words.meaning(words.KRAKEN, message), named)
    if control.method == "subscribe":
        return Acknowledged((control.result.symbol,) if control.result.symbol else None)
    if any(status.system == "maintenance" for status in control.data):
        return Leaving("status maintenance")
    known = control.channel in {"heartbeat", "status"} or control.method == "pong"
    return Heartbeat() if known else unreadable(frame, problem)
