"""Faults on demand: orders go in, each request or run asks whether one concerns it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec


class Order(Protocol):
    """A msgspec.Struct that says how often it strikes."""

    @property
    def count(self) -> int:
        """How often."""
        ...


@dataclass(slots=True)
class _Standing[Ordered: Order]:
    order: Ordered
    left: int


class StandingOrders[Ordered: Order]:
    """The orders that still stand, in the order they came."""

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self._standing: list[_Standing[Ordered]] = []

    def add(self, order: Ordered) -> None:
        """Let an order stand."""
        self._standing.append(_Standing(order, order.count))

    def clear(self) -> None:
        """Let everything be right again."""
        self._standing.clear()

    def active(self) -> list[dict[str, Any]]:
        """Describe what stands, with how often it is `left`."""
        return [msgspec.to_builtins(one.order) | {"left": one.left} for one in self._standing]

    def strike(self, concerns: Callable[[Ordered], bool]) -> Ordered | None:
        """Give the first order that concerns what happens now, and count it."""
        for standing in self._standing:
            if concerns(standing.order):
                standing.left -= 1
                self._standing = [one for one in self._standing if one.left > 0]
                return standing.order
        return None
