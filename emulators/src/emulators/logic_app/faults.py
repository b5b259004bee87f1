"""What goes wrong on demand: the faults that requests can meet."""

from typing import Annotated, Literal

import msgspec

from emulators.faults import FaultQueue, Limits

Kind = Literal["unavailable", "slow", "lost_answer", "too_many_requests", "redirect"]
_BEFORE: tuple[Kind, ...] = ("unavailable", "too_many_requests", "redirect")
_ELSEWHERE = "https://127.0.0.1:9/elsewhere"


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`; it concerns the next `count` requests with a right signature.

    `unavailable` answers `status`, `too_many_requests` answers 429 with Retry-After `retry_after` (seconds), `redirect`
    answers 307 to `location`: nothing has happened then. `slow` waits `seconds` before the run, which happens even if
    the caller has gone. `lost_answer` runs, and then answers `status`, or where `drop` is true cuts the connection.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    status: Annotated[int, msgspec.Meta(ge=500, le=599)] = 500
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 5.0
    retry_after: Annotated[int, msgspec.Meta(ge=0)] = 1
    drop: bool = True
    location: str = _ELSEWHERE

    @property
    def limits(self) -> Limits:
        """Hold for `count` requests."""
        return Limits(count=self.count)


class Faults(FaultQueue[Fault]):
    """The faults of all workflows."""

    def take_before(self) -> Fault | None:
        """Give the first fault that keeps a request from having an effect, and count it."""
        return self.take(*_BEFORE)

    def take(self, *kinds: Kind) -> Fault | None:
        """Give the first fault of these kinds, and count it."""
        return self.consume(lambda fault: fault.kind in kinds)
