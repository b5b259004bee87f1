"""What goes wrong on demand: orders go in, each request asks whether one concerns it."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

Kind = Literal["unavailable", "slow", "lost_answer", "too_many_requests", "redirect"]
_BEFORE: tuple[Kind, ...] = ("unavailable", "too_many_requests", "redirect")
_ELSEWHERE = "https://127.0.0.1:9/elsewhere"


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


@dataclass(slots=True)
class _Standing:
    order: FaultOrder
    left: int


class Faults:
    """The orders that still stand, in the order they came."""

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self._standing: list[_Standing] = []

    def add(self, order: FaultOrder) -> None:
        """Let an order stand."""
        self._standing.append(_Standing(order, order.count))

    def clear(self) -> None:
        """Let everything be right again."""
        self._standing.clear()

    def active(self) -> list[dict[str, Any]]:
        """Describe what stands, with how often it is `left`."""
        return [msgspec.to_builtins(one.order) | {"left": one.left} for one in self._standing]

    def take_before(self) -> FaultOrder | None:
        """Give the first order that keeps a request from having an effect, and count it."""
        return self.take(*_BEFORE)

    def take(self, *kinds: Kind) -> FaultOrder | None:
        """Give the first order of these kinds, and count it."""
        for standing in self._standing:
            if standing.order.kind in kinds:
                standing.left -= 1
                self._standing = [one for one in self._standing if one.left > 0]
                return standing.order
        return None
