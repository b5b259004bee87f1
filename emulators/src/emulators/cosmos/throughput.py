"""Request units: what a request costs, and how many a physical partition has each second."""

import math
from collections.abc import Callable
from typing import Final

from emulators.cosmos.refusals import throttled

WRITE_UNITS: Final = 5
READ_UNITS: Final = 1
_KILOBYTE: Final = 1024


def write_charge(size: int) -> float:
    """Charge a written item of so many bytes: 5 RU for each KB begun."""
    return float(WRITE_UNITS * _kilobytes(size))


def read_charge(size: int) -> float:
    """Charge so many bytes that were read: 1 RU for each KB begun."""
    return float(READ_UNITS * _kilobytes(size))


def _kilobytes(size: int) -> int:
    return max(1, math.ceil(size / _KILOBYTE))


class Budget:
    """The request units of one physical partition: it gets `rate` of them each second and holds a second's worth.

    A request is admitted while some are left, whatever it costs, and what it takes over that is owed: so one large
    batch passes, and the next request waits. `clock` gives seconds that never go back.
    """

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self.refused = 0
        self.spent = 0.0
        self._clock = clock
        self.provision(rate)

    @property
    def rate(self) -> float:
        """The units that it gets each second."""
        return self._rate

    def provision(self, rate: float) -> None:
        """Set the rate, with a full second's worth; raises ValueError unless above zero."""
        if rate <= 0:
            raise ValueError(f"a partition gets {rate} RU/s; it must be above 0")
        self._rate = self._left = rate
        self._filled_at = self._clock()

    def admit(self) -> None:
        """Let a request begin; raises the Refusal of one that comes too early."""
        now = self._clock()
        self._left = min(self._rate, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._left <= 0:
            self.refused += 1
            raise throttled(math.floor(-self._left / self._rate * 1000) + 1)

    def take(self, charge: float) -> None:
        """Charge a request that was admitted."""
        self._left -= charge
        self.spent += charge
