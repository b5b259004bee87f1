"""Faults on demand: a queue of them, each consumed by what it concerns; for a count, for a time, or by chance."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import Random
from time import monotonic
from typing import Any, Protocol

import msgspec


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a fault holds; without any limit, until the queue is cleared.

    `count`: how often it is injected. `seconds`: how long it holds from when it is added. `probability`: how likely
    each thing that it concerns meets it, drawn with `seed`.
    """

    count: int | None = None
    seconds: float | None = None
    probability: float | None = None
    seed: int = 0


class Fault(Protocol):
    """A msgspec.Struct that says how long it holds."""

    @property
    def limits(self) -> Limits:
        """Give its limits."""
        ...


class _Queued[F: Fault]:
    def __init__(self, fault: F, now: float) -> None:
        self.fault = fault
        self.met = 0
        self.injected = 0
        self._limits = fault.limits
        self._until = now + (inf if self._limits.seconds is None else self._limits.seconds)
        self._random = Random(self._limits.seed)

    def holds(self, now: float) -> bool:
        count = self._limits.count
        return now < self._until and (count is None or self.injected < count)

    def is_injected(self, now: float) -> bool:
        """Decide about one more thing that the fault concerns, and count it."""
        self.met += 1
        probability = self._limits.probability
        hit = self.holds(now) and (probability is None or self._random.random() < probability)
        self.injected += hit
        return hit

    def description(self, now: float) -> dict[str, Any]:
        fields: dict[str, Any] = msgspec.to_builtins(self.fault)
        fields |= {"injected": self.injected, "met": self.met}
        if self._limits.count is not None:
            fields["left"] = self._limits.count - self.injected
        if self._limits.seconds is not None:
            fields["seconds_left"] = self._until - now
        return fields


class FaultQueue[F: Fault]:
    """Faults in the order they were added. `clock` gives seconds and only goes forward."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Begin without faults."""
        self._clock = clock
        self._queue: list[_Queued[F]] = []

    def add(self, fault: F) -> None:
        """Let a fault hold from now on."""
        self._queue.append(_Queued(fault, self._clock()))

    def clear(self) -> None:
        """End every fault."""
        self._queue.clear()

    def consume(self, concerns: Callable[[F], bool]) -> F | None:
        """Give the first fault that is injected into what happens now, and count it."""
        now = self._clock()
        candidates = (queued for queued in self._queue if concerns(queued.fault))
        return next((queued.fault for queued in candidates if queued.is_injected(now)), None)

    def holding(self, concerns: Callable[[F], bool]) -> list[F]:
        """Give the faults that hold now and concern something, without counting them."""
        now = self._clock()
        return [queued.fault for queued in self._queue if queued.holds(now) and concerns(queued.fault)]

    def active(self) -> list[dict[str, Any]]:
        """Describe the faults that hold: fields, `injected`, `met`, and `left` or `seconds_left` where limited."""
        now = self._clock()
        return [queued.description(now) for queued in self._queue if queued.holds(now)]

    def history(self) -> list[dict[str, Any]]:
        """Describe all faults since the queue was last cleared, those that are used up too."""
        now = self._clock()
        return [queued.description(now) for queued in self._queue]
