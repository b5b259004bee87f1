"""What goes wrong on demand."""

from typing import Annotated, Final, Literal

import msgspec

from emulators.faults import FaultQueue, Limits

Kind = Literal[
    "unavailable", "too_many_requests", "quota", "denied", "too_large", "redirect", "partial", "slow", "lost_answer"
]
BEFORE: Final[tuple[Kind, ...]] = ("denied", "redirect", "too_large", "too_many_requests", "quota", "unavailable")

_STATUSES: Final[dict[Kind, tuple[int, ...]]] = {
    "unavailable": (503, 500, 502, 504, 408),
    "too_many_requests": (429,),
    "quota": (402, 439),
    "denied": (403, 401),
    "too_large": (413,),
    "redirect": (307, 308),
    "partial": (500, 206, 400, 402, 408, 429, 439, 502, 503, 504),
    "slow": (200,),
    "lost_answer": (200,),
}
_WORDS: Final = {
    206: "Telemetry sampled out.",
    402: "The daily quota was exceeded",
    429: "Too many requests",
    439: "The daily quota was exceeded",
}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`; it concerns the next `count` requests.

    Before anything is kept: `unavailable` (503; or 500, 502, 504, 408), `too_many_requests` (429), `quota` (402; or
    439), `denied` (403; or 401), `too_large` (413), `redirect` (307; or 308) to `location`. `partial` refuses the first
    `items` of each request with `status` (500 by default; 206 is sampling), and keeps the others. Each has Retry-After
    where `retry_after` (seconds) is above 0. `slow` waits `seconds` and goes on. `lost_answer` keeps the items and then
    cuts the connection.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    status: int = 0
    retry_after: Annotated[int, msgspec.Meta(ge=0)] = 0
    location: str = ""
    items: Annotated[int, msgspec.Meta(ge=1)] = 1
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 1.0

    def __post_init__(self) -> None:
        """Refuse a status that the kind does not have, and a redirect to nowhere."""
        if self.status and self.status not in _STATUSES[self.kind]:
            raise ValueError(f"{self.kind} has one of the statuses {', '.join(map(str, _STATUSES[self.kind]))}.")
        if self.kind == "redirect" and not self.location:
            raise ValueError("A redirect needs a location.")

    @property
    def limits(self) -> Limits:
        """Hold for `count` requests."""
        return Limits(count=self.count)

    @property
    def answered(self) -> int:
        """Give the status, the kind's first where none was named."""
        return self.status or _STATUSES[self.kind][0]

    @property
    def words(self) -> str:
        """Say what an item is told."""
        return _WORDS.get(self.answered, "Failed on demand")


class Faults(FaultQueue[Fault]):
    """The faults of an endpoint."""

    def take(self, *kinds: Kind) -> Fault | None:
        """Give the first fault of these kinds, and count it."""
        return self.consume(lambda fault: fault.kind in kinds)
