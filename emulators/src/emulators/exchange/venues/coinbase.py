"""Coinbase Exchange: channels `matches` and `heartbeat`, products and trades by REST.

Sources: docs.cdp.coinbase.com/exchange (websocket-feed/overview, websocket-feed/channels, rest-api/pagination,
api-reference get-product-trades, rate limits); the order and fields of frames also from recorded frames.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from uuid import UUID

import msgspec

from emulators.exchange.instants import to_text
from emulators.exchange.limits import Bucket, RequestLimit
from emulators.exchange.market import Trade
from emulators.exchange.venue import Listings, Opening, Page, PageMaker, PageRequest, broken, encode

_CHANNELS = ("matches", "heartbeat")
_MOST = 1_000


class Coinbase:
    """The venue. A connection that has not subscribed within 5 s is closed; `side` is the maker's side."""

    name = "coinbase"
    sockets = ("/ws",)
    subscribe_within: float | None = 5.0
    ping_every: float | None = None
    pong_within = 60.0

    def converse(self, opening: Opening, listings: Listings, clock: Callable[[], int]) -> "CoinbaseDialogue":
        """Begin a dialogue; nothing is sent before the client subscribes."""
        del opening
        return CoinbaseDialogue(listings, clock)

    def pages(self) -> Mapping[str, PageMaker]:
        """Serve the product list and the trades of a product."""
        return {"/products": products_page, "/products/{name}/trades": trades_page}

    def limits(self) -> tuple[RequestLimit, ...]:
        """Allow ten requests a second, fifteen in a burst."""
        return (Bucket(15, 10.0, status=HTTPStatus.TOO_MANY_REQUESTS),)

    def refusal(self, status: int, words: str | None = None) -> bytes:
        """Write `{"message": ...}`, the venue's error shape."""
        is_limit = status == HTTPStatus.TOO_MANY_REQUESTS
        return _message(words or ("Public rate limit exceeded" if is_limit else "Service Unavailable"))

    def error_frame(self, words: str | None = None) -> bytes:
        """Write an `error`."""
        return _error(words or "Internal server error", None)

    def shutdown_notice(self, now: int) -> list[bytes]:
        """Say nothing: the venue documents no notice and closes."""
        del now
        return []

    def unknown_frame(self, now: int) -> bytes:
        """Write a frame of a type that clients must ignore by the documentation."""
        return encode({"type": "auction_preview", "product_id": "BTC-USD", "time": to_text(now)})

    def malformed_frame(self, now: int) -> bytes:
        """Break a match off."""
        return broken(encode({"type": "match", "trade_id": 1, "product_id": "BTC-USD", "time": to_text(now)}))


class CoinbaseDialogue:
    """What one connection has subscribed to, channel by channel."""

    def __init__(self, listings: Listings, clock: Callable[[], int]) -> None:
        """Begin with no subscription."""
        self._listings = listings
        self._clock = clock
        self._products: dict[str, dict[str, None]] = {channel: {} for channel in _CHANNELS}

    @property
    def subscribed(self) -> bool:
        """Say whether any channel has a product."""
        return any(self._products.values())

    def greet(self, now: int) -> list[bytes]:
        """Say nothing."""
        del now
        return []

    def receive(self, text: str, now: int) -> list[bytes]:
        """Answer subscribe and unsubscribe with `subscriptions`, followed by one `last_match` a new product."""
        del now
        try:
            request = msgspec.json.decode(text, type=_Request)
        except msgspec.MsgspecError:
            return [_error("Malformed JSON", None)]
        if request.type not in {"subscribe", "unsubscribe"}:
            return [_error("Unknown message type", f"{request.type} is not a valid type")]
        wanted = request.products_by_channel()
        if reason := self._objection(wanted):
            return [_error("Failed to subscribe", reason)]
        return self._subscribe(wanted) if request.type == "subscribe" else self._unsubscribe(wanted)

    def trade_frames(self, trades: Sequence[Trade], now: int) -> list[bytes]:
        """Write a `match` a trade."""
        del now
        products = self._products["matches"]
        return [match_frame(trade, "match") for trade in trades if trade.symbol in products]

    def beat(self, now: int) -> list[bytes]:
        """Write a `heartbeat` a product, with the sequence and id of the last trade the feed came to."""
        return [self._heartbeat(product, now) for product in self._products["heartbeat"]]

    def _heartbeat(self, product: str, now: int) -> bytes:
        last = self._listings.published(product, 1, self._clock())
        return encode(
            {
                "type": "heartbeat",
                "sequence": last[0].sequence if last else 0,
                "last_trade_id": last[0].trade_id if last else 0,
                "product_id": product,
                "time": to_text(now),
            }
        )

    def _objection(self, wanted: Mapping[str, Sequence[str]]) -> str | None:
        if not wanted:
            return "You must specify at least one channel"
        for channel, products in wanted.items():
            if channel not in _CHANNELS:
                return f"{channel} is not a valid channel"
            if not products:
                return f"You need to specify at least one product ID for channel {channel}"
            for product in products:
                if product not in self._listings.symbols:
                    return f"{product} is not a valid product"
        return None

    def _subscribe(self, wanted: Mapping[str, Sequence[str]]) -> list[bytes]:
        new = [product for product in wanted.get("matches", ()) if product not in self._products["matches"]]
        for channel, products in wanted.items():
            self._products[channel].update(dict.fromkeys(products))
        return [self._subscriptions(), *self._last_matches(new)]

    def _unsubscribe(self, wanted: Mapping[str, Sequence[str]]) -> list[bytes]:
        for channel, products in wanted.items():
            for product in products:
                self._products[channel].pop(product, None)
        return [self._subscriptions()]

    def _last_matches(self, products: Sequence[str]) -> list[bytes]:
        now = self._clock()
        lasts = (self._listings.published(product, 1, now) for product in products)
        return [match_frame(trade, "last_match") for last in lasts for trade in last]

    def _subscriptions(self) -> bytes:
        channels = [
            {"name": channel, "product_ids": list(products)} for channel, products in self._products.items() if products
        ]
        return encode({"type": "subscriptions", "channels": channels})


class _Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class _Request(msgspec.Struct):
    type: str
    product_ids: list[str] = []
    channels: list[str | _Channel] = []

    def products_by_channel(self) -> dict[str, Sequence[str]]:
        named = (_Channel(entry) if isinstance(entry, str) else entry for entry in self.channels)
        return {channel.name: channel.product_ids or self.product_ids for channel in named}


def match_frame(trade: Trade, kind: str) -> bytes:
    """Write a `match` or `last_match` frame of a trade."""
    maker, taker = trade.orders or _orders(trade)
    return encode(
        {
            "type": kind,
            "trade_id": trade.trade_id,
            "maker_order_id": maker,
            "taker_order_id": taker,
            "side": _maker_side(trade),
            "size": trade.size,
            "price": trade.price,
            "product_id": trade.symbol,
            "sequence": trade.sequence,
            "time": to_text(trade.time),
        }
    )


def products_page(request: PageRequest, listings: Listings) -> Page:
    """List the products: `GET /products`."""
    del request
    return Page(encode([_product(symbol) for symbol in listings.symbols]))


def trades_page(request: PageRequest, listings: Listings) -> Page:
    """Give trades, newest first: `GET /products/{id}/trades?limit=&before=&after=`.

    `after=N` gives trades older than N, `before=N` the newest ones that are newer than N. The headers CB-BEFORE and
    CB-AFTER hold the ids of the first and the last trade of the page. At most 1,000 trades.
    """
    history = listings.history(request.name, request.now)
    if history is None:
        return Page(_message("NotFound"), 404)
    try:
        limit, before, after = (request.whole_number(name) for name in ("limit", "before", "after"))
    except ValueError as error:
        return Page(_message(f"Invalid {error}"), 400)
    walk = history.newest_first(below=after, above=before)
    trades = list(islice(walk, min(_MOST if limit is None else limit, _MOST)))
    cursors = {"CB-BEFORE": str(trades[0].trade_id), "CB-AFTER": str(trades[-1].trade_id)} if trades else {}
    return Page(encode([_trade_row(trade) for trade in trades]), headers=cursors)


def _trade_row(trade: Trade) -> dict[str, object]:
    return {
        "trade_id": trade.trade_id,
        "side": _maker_side(trade),
        "size": trade.size,
        "price": trade.price,
        "time": to_text(trade.time),
    }


def _product(symbol: str) -> dict[str, object]:
    base, _, quote = symbol.partition("-")
    return {
        "id": symbol,
        "base_currency": base,
        "quote_currency": quote,
        "display_name": f"{base}-{quote}",
        "status": "online",
        "status_message": "",
        "trading_disabled": False,
    }


def _maker_side(trade: Trade) -> str:
    return "sell" if trade.taker == "buy" else "buy"


def _orders(trade: Trade) -> tuple[str, str]:
    return str(UUID(int=trade.trade_id << 64 | 1)), str(UUID(int=trade.trade_id << 64 | 2))


def _error(message: str, reason: str | None) -> bytes:
    return encode({"type": "error", "message": message} | ({"reason": reason} if reason else {}))


def _message(text: str) -> bytes:
    return encode({"message": text})
