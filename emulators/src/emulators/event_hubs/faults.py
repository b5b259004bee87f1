"""Which send or token meets which fault: pure decisions, with the dice handed in as a seed."""

from collections.abc import Mapping
from enum import StrEnum
from random import Random
from typing import Any

import msgspec


class FaultError(ValueError):
    """Raised for a fault order that cannot be carried out; the text goes to the caller."""


class Kind(StrEnum):
    """What goes wrong."""

    STALL = "stall"
    LOSE_ACK = "lose_ack"
    DROP = "drop"
    REJECT_BUSY = "reject_busy"
    DETACH_BUSY = "detach_busy"
    REFUSE_TOKEN = "refuse_token"  # noqa: S105 (a kind of fault, not a secret)


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One order: the next `next` sends (tokens), or each with probability `share`; of one hub or of all.

    `stored` says whether a stalled send is stored all the same.
    """

    kind: Kind
    hub: str | None = None
    next: int | None = None
    share: float | None = None
    seed: int = 0
    stored: bool = False


class Rule:
    """An order being carried out, with what it has injected so far."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.met = 0
        self.injected = 0
        self._dice = Random(order.seed)

    def strikes(self, hub: str) -> bool:
        """Say whether this rule hits one more send (token) of `hub`, and count it."""
        if self.order.hub not in {None, hub}:
            return False
        self.met += 1
        hit = self.injected < self.order.next if self.order.next is not None else self._dice.random() < self._share
        self.injected += hit
        return hit

    @property
    def _share(self) -> float:
        return self.order.share or 0.0


class Faults:
    """The rules in force; the first one that strikes decides."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def order(self, fields: Any, hubs: Mapping[str, object]) -> None:  # noqa: ANN401 (JSON of a stranger)
        """Add the rule that `fields` (a JSON object) asks for; raise `FaultError` naming the field at fault."""
        try:
            order = msgspec.convert(fields, Order)
        except msgspec.ValidationError as error:
            raise FaultError(str(error)) from error
        _check(order, hubs)
        self._rules.append(Rule(order))

    def clear(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def strike_send(self, hub: str) -> Order | None:
        """Return the order that hits this send, or None."""
        return self._strike(hub, tokens=False)

    def strike_token(self, hub: str) -> Order | None:
        """Return the order that hits this token, or None."""
        return self._strike(hub, tokens=True)

    def report(self) -> list[dict[str, Any]]:
        """Return each order with `injected` (times it hit) and `met` (sends or tokens it looked at)."""
        return [msgspec.to_builtins(rule.order) | {"injected": rule.injected, "met": rule.met} for rule in self._rules]

    def _strike(self, hub: str, *, tokens: bool) -> Order | None:
        candidates = (rule for rule in self._rules if (rule.order.kind is Kind.REFUSE_TOKEN) is tokens)
        return next((rule.order for rule in candidates if rule.strikes(hub)), None)


def _check(order: Order, hubs: Mapping[str, object]) -> None:
    if (order.next is None) is (order.share is None):
        raise FaultError("Give either `next` (how many) or `share` (probability of each), not both and not neither.")
    if order.next is not None and order.next < 1:
        raise FaultError(f"`next` is {order.next}; it must be at least 1.")
    if order.share is not None and not 0 < order.share <= 1:
        raise FaultError(f"`share` is {order.share}; it must be above 0 and at most 1.")
    if order.hub is not None and order.hub not in hubs:
        raise FaultError(f"`hub` is {order.hub!r}; there are {', '.join(hubs)}.")
    if order.stored and order.kind is not Kind.STALL:
        raise FaultError(f"`stored` goes with stall only, not with {order.kind}.")
