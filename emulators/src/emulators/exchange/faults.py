"""What goes wrong on demand: the faults of venues and assets, and what each decides."""

from enum import Enum, auto
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec

from emulators.exchange.instants import SECOND
from emulators.exchange.limits import Refusal
from emulators.faults import FaultQueue, Limits

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
    "refuse_subscription",
    "error_frame",
    "zero",
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
_COUNTED = ("hole", "late", "zero", "too_many_requests", "refuse_subscription", *ASSETS)
_SPOKEN = ("too_many_requests", "refuse_subscription", "error_frame")
_TIMED = ("outage", "silence", "rest_down")
QUEUED = (*_COUNTED, *_TIMED, "connection_limit")
"""The kinds that hold for a while; the others happen at once."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`.

    `venue` and `symbol` narrow it (absent: all). `count`: how many trades, frames or requests. `seconds`: how long, how
    late, how far off, how old. `rest`: for an outage true leaves REST up, for a hole false takes the trades out of the
    history too. `status`: of the refusals of too_many_requests; 200 is Kraken's alone. `words`: what a refusal or an
    error says (absent: what is usual for the venue). `code`: the close code of a disconnect (absent: no close frame
    at all). The kinds `assets_…` concern
    requests for the assets; venue and symbol mean nothing to them.
    """

    kind: Kind
    venue: Literal["coinbase", "binance", "kraken", "bitstamp"] | None = None
    symbol: str | None = None
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    seconds: float | None = None
    rest: bool | None = None
    retry_after: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    status: Literal[200, 403, 418, 429, 451] = 429
    words: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    code: Annotated[int, msgspec.Meta(ge=1000, le=4999)] | None = None

    def __post_init__(self) -> None:
        """Refuse a kind that lacks its seconds, and what its kind or its venue has no use for."""
        if self.kind in _NEEDS_SECONDS and self.seconds is None:
            raise ValueError(f"seconds is required for kind {self.kind}")
        if self.words is not None and self.kind not in _SPOKEN:
            raise ValueError(f"words mean nothing to kind {self.kind}, but to {', '.join(_SPOKEN)}")
        if self.status < HTTPStatus.BAD_REQUEST and self.venue != "kraken":
            raise ValueError(f"status 200 refuses nothing on {self.venue or 'all venues'}, but on kraken alone")
        if self.kind != "skew" and self.seconds is not None and self.seconds < 0:
            raise ValueError(f"seconds must be at least 0 for kind {self.kind}, not {self.seconds}")

    @property
    def microseconds(self) -> int:
        """Give `seconds`, or what is usual for the kind, in microseconds."""
        return round((self.seconds if self.seconds is not None else _USUAL_SECONDS.get(self.kind, 0.0)) * SECOND)

    @property
    def limits(self) -> Limits:
        """Hold for `count` or for `seconds`, as the kind has it; a connection limit holds until it is cleared."""
        return Limits(
            count=self.count if self.kind in _COUNTED else None,
            seconds=self.microseconds / SECOND if self.kind in _TIMED else None,
        )

    def concerns(self, venue: str, symbol: str | None = None) -> bool:
        """Say whether the fault is about this venue and, where one is given, this symbol."""
        return self.venue in {None, venue} and (symbol is None or self.symbol in {None, symbol})


class Publication(Enum):
    """What becomes of a trade on the websocket."""

    SENT = auto()
    LATE = auto()
    UNSENT = auto()
    LOST = auto()
    ZERO = auto()
    """Sent with a quantity of zero, which the history has too."""


class Faults(FaultQueue[Fault]):
    """The faults of one exchange. `clock` gives seconds."""

    def publication(self, venue: str, symbol: str) -> tuple[Publication, int]:
        """Decide what becomes of the next trade, and how many microseconds late it is sent; counts it."""
        fault = self.consume(lambda fault: fault.kind in {"hole", "late", "zero"} and fault.concerns(venue, symbol))
        if fault is None:
            return Publication.SENT, 0
        if fault.kind == "late":
            return Publication.LATE, fault.microseconds
        if fault.kind == "zero":
            return Publication.ZERO, 0
        return (Publication.LOST if fault.rest is False else Publication.UNSENT), 0

    def is_silent(self, venue: str) -> bool:
        """Say whether nothing may be sent on the venue's websockets."""
        return bool(self._of("silence", venue))

    def is_out(self, venue: str, *, rest: bool = False) -> bool:
        """Say whether the venue's connections are refused; with `rest`, whether REST requests are."""
        return any(not (rest and outage.rest) for outage in self._of("outage", venue))

    def rest_refusal(self, venue: str) -> Refusal | None:
        """Decide whether a REST request is refused, and how; counts it."""
        if self._of("rest_down", venue):
            return Refusal(503, 1.0)
        limited = self.consume(lambda fault: fault.kind == "too_many_requests" and fault.concerns(venue))
        if limited is None:
            return None
        wait = limited.retry_after if limited.status >= HTTPStatus.BAD_REQUEST else None
        return Refusal(limited.status, wait, limited.words)

    def subscription_refusal(self, venue: str) -> Fault | None:
        """Decide whether a subscription is refused; counts it."""
        return self.consume(lambda fault: fault.kind == "refuse_subscription" and fault.concerns(venue))

    def of_assets(self) -> Fault | None:
        """Decide what happens to a request for the assets; counts it."""
        return self.consume(lambda fault: fault.kind in ASSETS)

    def connection_limit(self, venue: str) -> int | None:
        """Give how many microseconds a connection may live."""
        return min((limit.microseconds for limit in self._of("connection_limit", venue)), default=None)

    def _of(self, kind: Kind, venue: str) -> list[Fault]:
        return self.holding(lambda fault: fault.kind == kind and fault.concerns(venue))
