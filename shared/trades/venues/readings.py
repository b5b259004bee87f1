"""What a venue's frames and a connection's life mean, whichever venue it is."""

from dataclasses import dataclass

from shared.trades.venues.trade import Trade


@dataclass(frozen=True, slots=True)
class Traded:
    """Trades, in the order in which the venue sent them."""

    trades: tuple[Trade, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The venue names a market's newest trade at subscription; it is a point to count from and is never sent on."""

    market: str
    trade_id: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A heartbeat; where the venue says so, with the id of the market's newest trade."""

    market: str | None = None
    last_trade_id: int | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The venue took the subscription, or said something that has no bearing on trades."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A malformed or unknown frame: its first characters, and what is wrong with it."""

    excerpt: str
    reason: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """The venue announces that it will close this connection; open another one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue won't serve the subscription; `message` is its own."""

    message: str


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection is open and subscribed; `number` counts from 1 within one `follow`."""

    number: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A connection ended unasked, or fell silent; what was traded since may have been missed."""

    reason: str


Reading = Traded | Snapshot | Heartbeat | Acknowledged | Unreadable | Leaving | Refused
FeedEvent = Traded | Snapshot | Heartbeat | Unreadable | Connected | Interrupted
