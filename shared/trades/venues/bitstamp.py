"""Bitstamp websocket v2: channels `live_trades_<market>`, and the transactions of the last hour or day by REST.

Facts: bitstamp.net/websocket/v2 and bitstamp.net/api (at most 10,000 requests in ten minutes: ten a second are asked
for). Trade ids grow, but not by one. REST gives times in whole seconds, the websocket in microseconds; windows begin
and end at whole seconds, so both fall in the same one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

import msgspec

from shared.trades.venues import words
from shared.trades.venues.decoding import READ_ERRORS, RowReader, TradeId, number_literal, odd_trade, unreadable
from shared.trades.venues.readings import Acknowledged, Heartbeat, Leaving, Reading, Refused, Traded
from shared.trades.venues.splitting import split
from shared.trades.venues.trade import Direction, Origin, Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest, RequestLimit, Symbols

_CHANNEL = "live_trades_"
_QUOTES = ("RLUSD", "PYUSD", "USDT", "USDC", "EURC", "USD", "EUR", "GBP", "BTC", "ETH", "PAX", "DAI")
_LATEST_US = 253_402_300_799_999_999
_DIRECTIONS: Final[tuple[Direction, Direction]] = ("buy", "sell")

Side = Annotated[int, msgspec.Meta(ge=0, le=1)]


class _Data(msgspec.Struct, gc=False):
    trade_id: TradeId = msgspec.field(name="id")
    side: Side = msgspec.field(name="type")
    price: str = msgspec.field(name="price_str")
    amount: str = msgspec.field(name="amount_str")
    time: Annotated[int, msgspec.Meta(ge=0, le=_LATEST_US)] = msgspec.field(name="microtimestamp")


class _Trade(msgspec.Struct, tag_field="event", tag="trade", gc=False):
    channel: str
    data: _Data


class _Transaction(msgspec.Struct, gc=False):
    trade_id: TradeId = msgspec.field(name="tid")
    side: Side = msgspec.field(name="type")
    price: str
    amount: str
    time: Annotated[int, msgspec.Meta(ge=0, le=_LATEST_US // 1_000_000)] = msgspec.field(name="date")


class _Identity(msgspec.Struct, gc=False):
    trade_id: TradeId = msgspec.field(name="tid")
    time: Annotated[int, msgspec.Meta(ge=0, le=_LATEST_US // 1_000_000)] = msgspec.field(name="date")


class _Market(msgspec.Struct):
    name: str
    url_symbol: str


class _Channel(msgspec.Struct):
    channel: str = ""


class _Error(msgspec.Struct):
    message: str = ""


class _Control(msgspec.Struct):
    event: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


_FRAME = msgspec.json.Decoder(_Trade, strict=False).decode
_CONTROL = msgspec.json.Decoder(_Control).decode
_ERROR = msgspec.json.Decoder(_Error).decode
_CHANNEL_OF = msgspec.json.Decoder(_Channel).decode
_MARKETS = msgspec.json.Decoder(list[_Market]).decode
_IDENTITY = msgspec.json.Decoder(_Identity, strict=False).decode


def _identify(row: msgspec.Raw) -> tuple[int, int, str]:
    known = _IDENTITY(row)
    return known.trade_id, known.time * 1_000_000, ""


_HISTORY = RowReader(
    msgspec.json.Decoder(list[_Transaction], strict=False).decode,
    msgspec.json.Decoder(_Transaction, strict=False).decode,
    _identify,
)


class Bitstamp:
    """Adapter of Bitstamp; `type` is the taker's side: 0 bought, 1 sold."""

    name: Final = "bitstamp"
    contiguous: Final = False
    silence: Final = timedelta(seconds=20)
    connection_limit: Final = timedelta(days=90)
    request_limit: Final = RequestLimit(burst=20, every=1 / 10)
    words: Final = words.BITSTAMP

    def symbols_request(self) -> HistoryRequest:
        """Ask for all pairs."""
        return HistoryRequest("/api/v2/trading-pairs-info/", {})

    def read_symbols(self, body: bytes) -> Symbols:
        """Read the pairs (`BTC/USD` of `btcusd`); raises ValueError where it is another format."""
        try:
            pairs = {one.url_symbol: one.name.partition("/") for one in _MARKETS(body)}
        except READ_ERRORS as error:
            raise ValueError(f"not a list of pairs: {error}") from error
        return {symbol: (base, quote) for symbol, (base, _, quote) in pairs.items() if base and quote}

    def complaint(self, body: bytes) -> str:  # noqa: ARG002 - its errors have a status
        """Find none: an error has its own status."""
        return ""

    def tickers(self, symbol: str) -> tuple[str, str]:
        """Split `btcusd` in base and quote; raises ValueError where it can't be read in one way."""
        return split(symbol, _QUOTES)

    def subscribe(self, symbols: Sequence[str]) -> list[str]:
        """Give one frame a symbol."""
        return [_event("bts:subscribe", {"channel": f"{_CHANNEL}{symbol.lower()}"}) for symbol in symbols]

    def keep_alive(self) -> str | None:
        """Give the heartbeat that the venue answers."""
        return _event("bts:heartbeat")

    def read(self, frame: bytes | str, received_at: int) -> Reading:
        """Read one frame; never raises."""
        try:
            trade = _FRAME(frame)
            symbol = _symbol(trade.channel)
        except READ_ERRORS as error:
            return _control(frame, error)
        try:
            return Traded((_trade(trade.data, symbol, trade.data.time, received_at, "live"),))
        except ValueError as error:
            return odd_trade(frame, error, symbol, trade.data.trade_id, trade.data.time)

    def newest(self, symbol: str) -> HistoryRequest:
        """Ask for the last hour."""
        return _since(symbol, "hour")

    def older_than(self, symbol: str, trade_id: int, timestamp: int) -> HistoryRequest:  # noqa: ARG002 - no cursor there
        """Ask for the last hour; the page holds newer trades too, and leads on to the last day."""
        return _since(symbol, "hour")

    def read_history(self, request: HistoryRequest, body: bytes, symbol: str, received_at: int) -> HistoryPage:
        """Read a page, newest first as the venue gives it; raises ValueError where it is not the venue's format."""
        trades, rejected = _HISTORY.read(
            body, lambda row: _trade(row, symbol, row.time * 1_000_000, received_at, "rest")
        )
        trades.sort(key=lambda one: (one.timestamp, one.trade_id))
        return HistoryPage(tuple(trades), _since(symbol, "day") if request.query["time"] == "hour" else None, rejected)


def _since(symbol: str, time: str) -> HistoryRequest:
    return HistoryRequest(f"/api/v2/transactions/{symbol.lower()}/", {"time": time})


def _event(name: str, data: dict[str, str] | None = None) -> str:
    return msgspec.json.encode({"event": name} | ({"data": data} if data else {})).decode()


def _symbol(channel: str) -> str:
    if not channel.startswith(_CHANNEL):
        raise ValueError(f"a trade of the channel {channel[:100]!r}, which is not one of live trades")
    return channel[len(_CHANNEL) :]


def _trade(one: _Data | _Transaction, symbol: str, timestamp: int, received_at: int, origin: Origin) -> Trade:
    return Trade(
        "bitstamp",
        symbol,
        one.trade_id,
        number_literal(one.price),
        number_literal(one.amount),
        _DIRECTIONS[one.side],
        "taker",
        timestamp,
        received_at,
        origin,
    )


def _control(frame: bytes | str, problem: BaseException) -> Reading:
    try:
        control = _CONTROL(frame)
        if control.event == "bts:error":
            return _refused(control)
        if control.event == "bts:subscription_succeeded":
            return _acknowledged(frame)
    except READ_ERRORS:
        return unreadable(frame, problem)
    return _KNOWN.get(control.event) or unreadable(frame, problem)


def _refused(control: _Control) -> Refused:
    message = _ERROR(control.data).message or "an error without a message"
    return Refused(message, words.meaning(words.BITSTAMP, message))


def _acknowledged(frame: bytes | str) -> Acknowledged:
    channel = _CHANNEL_OF(frame).channel
    return Acknowledged((_symbol(channel),) if channel else None)


_KNOWN: Final[dict[str, Reading]] = {
    "bts:request_reconnect": Leaving("bts:request_reconnect"),
    "bts:unsubscription_succeeded": Acknowledged(()),
    "bts:heartbeat": Heartbeat(),
}
