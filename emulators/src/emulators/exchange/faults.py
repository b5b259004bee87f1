"""What goes wrong on demand, decided purely: orders go in with a moment, verdicts come out."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Annotated, Any, Literal

import msgspec

from emulators.exchange.instants import SECOND

Kind = Literal[
    "disconnect",
    "outage",
    "silence",
    "hole",
    "late",
    "skew",
    "malformed",
    "unknown",
    "shutdown",
    "connection_limit",
    "rest_down",
    "too_many_requests",
    "assets_down",
    "assets_half",
    "assets_not_json",
    "assets_empty",
    "assets_slow",
    "assets_refused",
]
ASSETS = ("assets_down", "assets_half", "assets_not_json", "assets_empty", "assets_slow", "assets_refused")
_USUAL_SECONDS: dict[str, float] = {"outage": 5.0, "silence": 5.0, "late": 2.0, "shutdown": 3.0, "rest_down": 5.0}
_NEEDS_SECONDS = ("skew", "connection_limit", "assets_slow")
_COUNTED = ("hole", "late", "too_many_requests", *ASSETS)
_TIMED = ("outage", "silence", "rest_down")
STANDING = (*_COUNTED, *_TIMED, "connection_limit")


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`.

    `venue` and `symbol` narrow it (absent: all). `count`: how many trades, frames or requests. `seconds`: how long, how
    late, how far off, how old. `rest`: for an outage true leaves REST up, for a hole false takes the trades out of the
    history too. `code`: the close code of a disconnect (absent: no close frame at all). The kinds `assets_…` concern
    requests for the assets; venue and symbol mean nothing to them.
    """

    kind: Kind
    venue: Literal["coinbase", "binance", "kraken", "bitstamp"] | None = None
    symbol: str | None = None
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    seconds: float | None = None
    rest: bool | None = None
    retry_after: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    code: Annotated[int, msgspec.Meta(ge=1000, le=4999)] | None = None

    def __post_init__(self) -> None:
        """Refuse a kind that lacks its seconds."""
        if self.kind in _NEEDS_SECONDS and self.seconds is None:
            raise ValueError(f"seconds is required for kind {self.kind}")
        if self.kind != "skew" and self.seconds is not None and self.seconds < 0:
            raise ValueError(f"seconds must be at least 0 for kind {self.kind}, not {self.seconds}")

    @property
    def microseconds(self) -> int:
        """Give `seconds`, or what is usual for the kind, in microseconds."""
        return round((self.seconds if self.seconds is not None else _USUAL_SECONDS.get(self.kind, 0.0)) * SECOND)

    def concerns(self, venue: str, symbol: str | None = None) -> bool:
        """Say whether the order is about this venue and, where one is given, this symbol."""
        return self.venue in {None, venue} and (symbol is None or self.symbol in {None, symbol})


class Fate(Enum):
    """What becomes of a trade on the websocket."""

    SENT = auto()
    LATE = auto()
    UNSENT = auto()
    LOST = auto()


@dataclass(slots=True)
class _Standing:
    order: FaultOrder
    left: int
    until: int | None

    def is_over(self, now: int) -> bool:
        return self.left <= 0 or (self.until is not None and now >= self.until)


class Faults:
    """The orders that still stand, in the order they came."""

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self._standing: list[_Standing] = []

    def add(self, order: FaultOrder, now: int) -> None:
        """Let an order of a standing kind hold from `now` on."""
        until = now + order.microseconds if order.kind in _TIMED else None
        self._standing.append(_Standing(order, order.count, until))

    def clear(self) -> None:
        """Let everything be right again."""
        self._standing.clear()

    def active(self, now: int) -> list[dict[str, Any]]:
        """Describe what stands: the order, with `left` for counted and `seconds_left` for timed ones."""
        return [_describe(standing, now) for standing in self._current(now)]

    def fate(self, venue: str, symbol: str, now: int) -> tuple[Fate, int]:
        """Decide what becomes of the next trade, and how many microseconds late it is sent; counts it."""
        for standing in self._current(now):
            order = standing.order
            if order.kind not in {"hole", "late"} or not order.concerns(venue, symbol):
                continue
            standing.left -= 1
            if order.kind == "late":
                return Fate.LATE, order.microseconds
            return (Fate.LOST if order.rest is False else Fate.UNSENT), 0
        return Fate.SENT, 0

    def is_silent(self, venue: str, now: int) -> bool:
        """Say whether nothing may be sent on the venue's websockets."""
        return self._first("silence", venue, now) is not None

    def is_out(self, venue: str, now: int, *, rest: bool = False) -> bool:
        """Say whether the venue's connections are refused; with `rest`, whether REST requests are."""
        outages = [standing.order for standing in self._of("outage", venue, now)]
        return any(not (rest and order.rest) for order in outages)

    def rest_refusal(self, venue: str, now: int) -> tuple[int, float] | None:
        """Decide whether a REST request is refused: status and seconds to wait; counts it."""
        if self._first("rest_down", venue, now):
            return 503, 1.0
        if limited := self._first("too_many_requests", venue, now):
            limited.left -= 1
            return 429, limited.order.retry_after
        return None

    def of_assets(self, now: int) -> FaultOrder | None:
        """Decide what happens to a request for the assets; counts it."""
        standing = next((one for one in self._current(now) if one.order.kind in ASSETS), None)
        if standing is None:
            return None
        standing.left -= 1
        return standing.order

    def connection_limit(self, venue: str, now: int) -> int | None:
        """Tell how many microseconds a connection may live."""
        limits = [standing.order.microseconds for standing in self._of("connection_limit", venue, now)]
        return min(limits, default=None)

    def _first(self, kind: str, venue: str, now: int) -> _Standing | None:
        return next(iter(self._of(kind, venue, now)), None)

    def _of(self, kind: str, venue: str, now: int) -> list[_Standing]:
        return [
            standing
            for standing in self._current(now)
            if standing.order.kind == kind and standing.order.concerns(venue)
        ]

    def _current(self, now: int) -> list[_Standing]:
        self._standing = [standing for standing in self._standing if not standing.is_over(now)]
        return self._standing


def _describe(standing: _Standing, now: int) -> dict[str, Any]:
    described: dict[str, Any] = msgspec.to_builtins(standing.order)
    if standing.order.kind in _COUNTED:
        described["left"] = standing.left
    if standing.until is not None:
        described["seconds_left"] = (standing.until - now) / SECOND
    return described
