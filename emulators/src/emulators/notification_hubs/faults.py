"""What goes wrong on demand."""

from typing import Annotated, Literal

import msgspec

from emulators.faults import FaultQueue, Limits

Kind = Literal["unavailable", "too_many_requests", "quota", "gone", "slow", "lost_answer"]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`; it concerns the next `count` sends with a good signature, to `device` only where given.

    `unavailable` answers `status`, `too_many_requests` 429, both with Retry-After `retry_after` (seconds) where that is
    above 0, `quota` 403 and `gone` 410: nothing is shown then, and of `gone` never will be. `slow` waits `seconds` and
    goes on. `lost_answer` shows it and then cuts the connection.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    device: str = ""
    status: Annotated[int, msgspec.Meta(ge=500, le=599)] = 503
    retry_after: Annotated[int, msgspec.Meta(ge=0)] = 0
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 1.0

    @property
    def limits(self) -> Limits:
        """Hold for `count` sends."""
        return Limits(count=self.count)


class Faults(FaultQueue[Fault]):
    """The faults of a hub."""

    def take(self, device: str, *kinds: Kind) -> Fault | None:
        """Give the first fault of these kinds that concerns a device, and count it."""
        return self.consume(lambda fault: fault.kind in kinds and fault.device in {"", device})
