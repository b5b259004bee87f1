"""What a destination that is paid by use charged for what it was given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Charge:
    """Request units in all, and how they came about.

    requests: calls that were answered with success. throttled: those that were told to come later. milliseconds: how
    long something was being sent.
    """

    units: float = 0.0
    requests: int = 0
    throttled: int = 0
    milliseconds: float = 0.0

    @property
    def units_per_second(self) -> float:
        """Give the request units a second while something was being sent; 0 where nothing was."""
        return self.units / self.milliseconds * 1000 if self.milliseconds else 0.0

    def __add__(self, other: "Charge") -> "Charge":
        """Add up two charges, of times that did not overlap."""
        return Charge(
            self.units + other.units,
            self.requests + other.requests,
            self.throttled + other.throttled,
            self.milliseconds + other.milliseconds,
        )
