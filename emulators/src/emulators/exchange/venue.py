"""What the server asks of a venue, and what a venue asks of the market: the seam between protocol and transport."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from emulators.exchange.history import History
from emulators.exchange.limits import RequestLimit
from emulators.exchange.market import Trade

encode = msgspec.json.encode


class Listings(Protocol):
    """What is traded on one venue."""

    @property
    def symbols(self) -> Sequence[str]: ...
    @property
    def pairs(self) -> Mapping[str, tuple[str, str]]:
        """Give base and quote of each symbol, in the venue's spelling."""
        ...

    def history(self, symbol: str, now: int) -> History | None:
        """Give everything that happened to `symbol` until the true moment `now`; None where it is not traded."""
        ...

    def published(self, symbol: str, count: int, now: int) -> list[Trade]:
        """Give the last `count` trades the websocket has come to, oldest first; at the start, the anchor if any."""
        ...

    def wake(self, symbol: str | None, now: int) -> None:
        """Publish a symbol's trades from now on (None: all symbols'); nothing happens where it is not traded."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """How a websocket was opened: the streams named in the path, and the query."""

    route: str
    streams: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One REST request: `now` is the true moment, `clock` the venue's own."""

    now: int
    clock: int
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def whole_number(self, name: str, default: int | None = None) -> int | None:
        """Read a query parameter; raise ValueError where it is no whole number of at least 0."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdecimal():
            raise ValueError(name)
        return int(text)


@dataclass(frozen=True, slots=True)
class Page:
    """One REST answer: a JSON body as bytes."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


PageMaker = Callable[[PageRequest, Listings], Page]


class Dialogue(Protocol):
    """One connection's side of a venue's websocket: frames in, frames out. Moments are by the venue's clock."""

    @property
    def subscribed(self) -> bool: ...
    def greet(self, now: int) -> list[bytes]:
        """Say what the venue says first."""
        ...

    def receive(self, text: str, now: int) -> list[bytes]:
        """Answer a frame of the client."""
        ...

    def trade_frames(self, trades: Sequence[Trade], now: int) -> list[bytes]:
        """Write those of the trades that are subscribed to."""
        ...

    def beat(self, now: int) -> list[bytes]:
        """Write what is due once a second."""
        ...


class Venue(Protocol):
    """One exchange: where its websocket and its pages are, beneath the venue's prefix, and how they speak."""

    @property
    def name(self) -> str: ...
    @property
    def sockets(self) -> Sequence[str]: ...
    @property
    def subscribe_within(self) -> float | None: ...
    @property
    def ping_every(self) -> float | None: ...
    @property
    def pong_within(self) -> float: ...
    def converse(self, opening: Opening, listings: Listings, clock: Callable[[], int]) -> Dialogue:
        """Begin the dialogue of a new connection; `clock` gives the true moment."""
        ...

    def pages(self) -> Mapping[str, PageMaker]:
        """Give the REST paths (aiohttp patterns; `{name}` becomes `PageRequest.name`) and what answers them."""
        ...

    def limits(self) -> tuple[RequestLimit, ...]:
        """Make what the pages allow one address, all of which hold."""
        ...

    def refusal(self, status: int, words: str | None = None) -> bytes:
        """Write the body of a page that is refused with a status, in these words or the usual ones."""
        ...

    def error_frame(self, words: str | None = None) -> bytes:
        """Write the frame that refuses a subscription for a reason that may pass, or an error that nobody asked for."""
        ...

    def shutdown_notice(self, now: int) -> list[bytes]:
        """Write what is sent before the venue closes a connection by itself; nothing where it says nothing."""
        ...

    def unknown_frame(self, now: int) -> bytes:
        """Write a well-formed frame of a type that is not documented."""
        ...

    def malformed_frame(self, now: int) -> bytes:
        """Write a frame that breaks off."""
        ...


class _Subscribing(msgspec.Struct):
    type: str = ""
    method: str = ""
    event: str = ""


def subscribes(text: str) -> bool:
    """Say whether a frame of a client subscribes to something, whichever venue it speaks to."""
    try:
        frame = msgspec.json.decode(text, type=_Subscribing)
    except msgspec.MsgspecError:
        return False
    return bool({frame.type, frame.method.lower(), frame.event} & {"subscribe", "bts:subscribe"})


def broken(frame: bytes) -> bytes:
    """Cut a frame so that it is no JSON any more."""
    return frame[: len(frame) * 2 // 3]


def raw(digits: str) -> Any:  # noqa: ANN401 - msgspec.Raw is a value of any JSON kind
    """Write a number with exactly these digits."""
    return msgspec.Raw(digits.encode())
