"""Throughput units: how much may be sent before the hub is busy."""

from collections.abc import Callable

BYTES_PER_UNIT = 1_000_000
EVENTS_PER_UNIT = 1_000


class Throttle:
    """Two token buckets, bytes and events, that fill by `units` per second and hold one second's worth.

    A send is admitted while both hold something and may take a bucket below zero, so that one full batch is never
    too big for a small hub and the long-run rate is exact. `clock` gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._units: float | None = None
        self._bytes = 0.0
        self._events = 0.0
        self._filled_at = clock()
        self.refused = 0

    @property
    def units(self) -> float | None:
        """The units in force; None admits everything."""
        return self._units

    def limit(self, units: float | None) -> None:
        """Set the units, with full buckets; None lifts the limit. Raises ValueError unless above zero."""
        if units is not None and units <= 0:
            raise ValueError(f"`units` is {units}; it must be above 0, or null for no limit.")
        self._units = units
        self._bytes, self._events = (units or 0) * BYTES_PER_UNIT, (units or 0) * EVENTS_PER_UNIT
        self._filled_at = self._clock()

    def admit(self, size: int, events: int) -> bool:
        """Take one send of `size` bytes and `events` events; False, taking nothing, when the hub is busy."""
        if self._units is None:
            return True
        self._fill(self._units)
        if self._bytes <= 0 or self._events <= 0:
            self.refused += 1
            return False
        self._bytes -= size
        self._events -= events
        return True

    def _fill(self, units: float) -> None:
        now = self._clock()
        elapsed, self._filled_at = now - self._filled_at, now
        self._bytes = min(units * BYTES_PER_UNIT, self._bytes + elapsed * units * BYTES_PER_UNIT)
        self._events = min(units * EVENTS_PER_UNIT, self._events + elapsed * units * EVENTS_PER_UNIT)
