"""Bitstamp: channel `live_trades_<pair>`, transactions by REST.

Sources: www.bitstamp.net/websocket/v2 and www.bitstamp.net/api (transactions, request limits, response codes); for
unknown pairs, which the venue confirms all the same, github.com/thrasher-corp/gocryptotrader/pull/1620.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from itertools import takewhile
from typing import Any

import msgspec

from emulators.exchange.instants import SECOND
from emulators.exchange.limits import Interval, RequestLimit
from emulators.exchange.market import Trade
from emulators.exchange.venue import Listings, Opening, Page, PageMaker, PageRequest, broken, encode, raw

_CHANNEL = "live_trades_"
_SPANS = {"minute": 60, "hour": 3_600, "day": 86_400}
_REASONS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "Request rejected due to exceeded rate limit.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
}


class Bitstamp:
    """The venue. Ids ascend but are not contiguous; the type is the taker's side: 0 buy, 1 sell."""

    name = "bitstamp"
    sockets = ("/ws",)
    subscribe_within: float | None = None
    ping_every: float | None = None
    pong_within = 60.0

    def converse(self, opening: Opening, listings: Listings, clock: Callable[[], int]) -> "BitstampDialogue":
        """Begin a dialogue."""
        del opening
        return BitstampDialogue(listings, clock)

    def pages(self) -> Mapping[str, PageMaker]:
        """Serve the transactions of a pair, and the list of pairs."""
        return {"/api/v2/transactions/{name}/": transactions_page, "/api/v2/trading-pairs-info/": pairs_page}

    def limits(self) -> tuple[RequestLimit, ...]:
        """Allow 400 requests a second, and 10,000 in ten minutes."""
        return Interval(400, 1, status=HTTPStatus.BAD_REQUEST), Interval(10_000, 600, status=HTTPStatus.BAD_REQUEST)

    def refusal(self, status: int, words: str | None = None) -> bytes:
        """Write `{"status": "error", ...}`, the venue's error shape; its limit has a code of its own."""
        code = "400.002" if status == HTTPStatus.BAD_REQUEST else str(status)
        return encode({"status": "error", "reason": words or _REASONS.get(status, "Service unavailable"), "code": code})

    def error_frame(self, words: str | None = None) -> bytes:
        """Write a `bts:error`."""
        return _error(words or "Rate limit exceeded.")

    def shutdown_notice(self, now: int) -> list[bytes]:
        """Ask the client to connect again."""
        del now
        return [_event("bts:request_reconnect", "", "")]

    def unknown_frame(self, now: int) -> bytes:
        """Write an event that is not documented."""
        return _event("bts:weather", "", {"microtimestamp": str(now)})

    def malformed_frame(self, now: int) -> bytes:
        """Break a trade off."""
        return broken(_event("trade", "live_trades_btcusd", {"id": 1, "microtimestamp": str(now)}))


class BitstampDialogue:
    """The channels of one connection."""

    def __init__(self, listings: Listings, clock: Callable[[], int]) -> None:
        """Begin with no channel."""
        self._listings = listings
        self._clock = clock
        self._channels: dict[str, None] = {}

    @property
    def subscribed(self) -> bool:
        """Say whether any channel is subscribed to."""
        return bool(self._channels)

    def greet(self, now: int) -> list[bytes]:
        """Say nothing."""
        del now
        return []

    def receive(self, text: str, now: int) -> list[bytes]:
        """Confirm subscriptions, answer the client's heartbeat, refuse the rest with `bts:error`."""
        del now
        try:
            request = msgspec.json.decode(text, type=_Request)
        except msgspec.MsgspecError:
            return [_error("Incorrect JSON format.")]
        if request.event == "bts:heartbeat":
            return [_event("bts:heartbeat", "", {"status": "success"})]
        if request.event not in {"bts:subscribe", "bts:unsubscribe"} or not request.data.channel.startswith(_CHANNEL):
            return [_error("Bad subscription string.")]
        return [self._change(request.event, request.data.channel)]

    def trade_frames(self, trades: Sequence[Trade], now: int) -> list[bytes]:
        """Write a `trade` event a trade."""
        del now
        return [_trade(trade) for trade in trades if _CHANNEL + trade.symbol in self._channels]

    def beat(self, now: int) -> list[bytes]:
        """Say nothing: the client asks for heartbeats."""
        del now
        return []

    def _change(self, event: str, channel: str) -> bytes:
        if event == "bts:unsubscribe":
            self._channels.pop(channel, None)
            return _event("bts:unsubscription_succeeded", channel, {})
        self._channels[channel] = None
        self._listings.wake(channel.removeprefix(_CHANNEL), self._clock())
        return _event("bts:subscription_succeeded", channel, {})


class _Data(msgspec.Struct):
    channel: str = ""


class _Request(msgspec.Struct):
    event: str
    data: _Data = msgspec.field(default_factory=_Data)


def pairs_page(request: PageRequest, listings: Listings) -> Page:
    """List the pairs: `GET /api/v2/trading-pairs-info/`."""
    del request
    pairs = [
        {"name": f"{base}/{quote}", "url_symbol": symbol, "trading": "Enabled", "description": f"{base} / {quote}"}
        for symbol, (base, quote) in listings.pairs.items()
    ]
    return Page(encode(pairs))


def transactions_page(request: PageRequest, listings: Listings) -> Page:
    """Give the trades of the last minute, hour (the default) or day, newest first.

    `GET /api/v2/transactions/{pair}/?time=`. All fields are strings; `date` is in whole seconds.
    """
    history = listings.history(request.name, request.now)
    if history is None:
        return Page(encode({"status": "error", "reason": "Not found", "code": "404"}), 404)
    span = _SPANS.get(request.query.get("time", "hour"))
    if span is None:
        return Page(encode({"status": "error", "reason": {"time": ["Invalid time interval."]}}), 400)
    since = request.clock - span * SECOND
    recent = takewhile(lambda trade: trade.time >= since, history.newest_first())
    return Page(encode([_row(trade) for trade in recent]))


def _row(trade: Trade) -> dict[str, str]:
    return {
        "date": str(trade.time // SECOND),
        "tid": str(trade.trade_id),
        "price": trade.price,
        "type": str(_kind(trade)),
        "amount": trade.size,
    }


def _trade(trade: Trade) -> bytes:
    buyer = trade.trade_id * 2 + (trade.taker == "buy")
    data = {
        "id": trade.trade_id,
        "timestamp": str(trade.time // SECOND),
        "amount": raw(trade.size),
        "amount_str": trade.size,
        "price": raw(trade.price),
        "price_str": trade.price,
        "type": _kind(trade),
        "microtimestamp": str(trade.time),
        "buy_order_id": buyer,
        "sell_order_id": buyer ^ 1,
    }
    return _event("trade", _CHANNEL + trade.symbol, data)


def _kind(trade: Trade) -> int:
    return 0 if trade.taker == "buy" else 1


def _event(event: str, channel: str, data: Any) -> bytes:  # noqa: ANN401 - whatever JSON the event carries
    return encode({"event": event, "channel": channel, "data": data})


def _error(message: str) -> bytes:
    return _event("bts:error", "", {"code": None, "message": message})
