"""What a venue's frames and a connection's life mean, whichever venue it is."""

from dataclasses import dataclass

from shared.domain.failures import FailureKind
from shared.trades.venues.trade import Trade


@dataclass(frozen=True, slots=True)
class Rejected:
    """One trade that can't be taken: its first characters, why, and its id and time where they are known.

    The time is microseconds since the Unix epoch. It is counted and sampled, and costs none of its neighbours.
    """

    excerpt: str
    reason: str
    trade_id: int | None = None
    timestamp: int | None = None
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Traded:
    """Trades, in the order in which the venue sent them, and those among them that can't be taken."""

    trades: tuple[Trade, ...]
    rejected: tuple[Rejected, ...] = ()


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
    """The venue took the subscription to these symbols, None to all that were asked for.

    None of them where it said something that has no bearing on trades.
    """

    symbols: tuple[str, ...] | None = None


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
    """The venue does not serve the subscription; `message` is its own, `kind` what that means.

    symbols: those that it named beside its message.
    """

    message: str
    kind: FailureKind = FailureKind.PERMANENT
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection is open and subscribed; `number` counts from 1 within one `follow`.

    symbols: those whose subscription stands, None for all that were asked for; others may follow as `Listening`.
    """

    number: int
    symbols: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """The subscription to one more symbol stands on the connection that is open."""

    symbol: str


@dataclass(frozen=True, slots=True)
class MarketRefused:
    """The venue will not serve this symbol, whatever is tried; `message` is its own. Its other symbols go on."""

    symbol: str
    message: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A connection ended unasked, or fell silent; what was traded since may have been missed."""

    reason: str


Reading = Traded | Snapshot | Heartbeat | Acknowledged | Unreadable | Leaving | Refused
FeedEvent = Traded | Snapshot | Heartbeat | Unreadable | Connected | Listening | MarketRefused | Interrupted
