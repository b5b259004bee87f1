"""What goes wrong on demand: which delivery or publication meets which order. Pure; the moment is an argument."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

Kind = Literal["duplicate", "out_of_order", "late", "lose_answer", "topic_down"]
_TIMED = "topic_down"
_USUAL_SECONDS = 5.0


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`; seconds are real ones, whatever the time scale.

    `duplicate`: the next `count` deliveries are made twice. `out_of_order`: the next `count` are held and then made
    last first, after `seconds` even if fewer came. `late`: the next `count` begin `seconds` late. `lose_answer`: the
    answers of the next `count` attempts are lost, so that Event Grid tries again. `topic_down`: the topic answers 503
    for `seconds`. `subscription` narrows the first four.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    seconds: Annotated[float, msgspec.Meta(ge=0)] = _USUAL_SECONDS
    subscription: str | None = None


@dataclass(slots=True)
class _Standing:
    order: FaultOrder
    left: int
    until: float


class Faults:
    """The orders that still stand, in the order they came; a moment is seconds of any steady clock."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []

    def add(self, order: FaultOrder, now: float) -> None:
        """Let an order hold from now on."""
        self._standing.append(_Standing(order, order.count, now + order.seconds))

    def clear(self) -> None:
        """Forget every order."""
        self._standing.clear()

    def strike(self, kind: Kind, subscription: str) -> FaultOrder | None:
        """Give the order of this kind that hits one more delivery of a subscription, and count it."""
        for standing in self._standing:
            order = standing.order
            if order.kind == kind and standing.left and order.subscription in {None, subscription}:
                standing.left -= 1
                return order
        return None

    def is_topic_down(self, now: float) -> bool:
        """Say whether the topic answers 503 at this moment."""
        return any(standing.order.kind == _TIMED and now < standing.until for standing in self._standing)

    def report(self, now: float) -> list[dict[str, Any]]:
        """List what still stands, with `left` deliveries or `seconds_left`."""
        return [_described(standing, now) for standing in self._standing if _stands(standing, now)]


def _stands(standing: _Standing, now: float) -> bool:
    return now < standing.until if standing.order.kind == _TIMED else standing.left > 0


def _described(standing: _Standing, now: float) -> dict[str, Any]:
    left = {"seconds_left": standing.until - now} if standing.order.kind == _TIMED else {"left": standing.left}
    fields: dict[str, Any] = msgspec.to_builtins(standing.order)
    return fields | left
