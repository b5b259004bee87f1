"""A breaker: after several failures in a row a peer is left alone for a while, then asked once."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Breaker:
    """Opens after `threshold` failures in a row, for at most `rest` seconds; then lets one probe through per rest.

    Each rest is drawn from the upper half of `rest`: those who lost a hub together do not come back together.

    failures: failures in a row so far. until: nobody may try before this time (seconds of the caller's clock).
    noted: when the last failure was counted; an attempt begun before that is the same piece of news.
    """

    threshold: int = 3
    rest: float = 30.0
    failures: int = 0
    until: float = 0.0
    noted: float = float("-inf")

    @property
    def is_open(self) -> bool:
        """Say whether so many attempts failed in a row that only probes are let through."""
        return self.failures >= self.threshold

    def wait(self, now: float) -> float:
        """Give the seconds until a try is allowed; 0 where it is allowed now."""
        return max(0.0, self.until - now) if self.is_open else 0.0

    def begun(self, now: float) -> "Breaker":
        """Note that an allowed try begins; while the breaker is open it is the only one for `rest` seconds."""
        return replace(self, until=now + self.rest) if self.is_open else self

    def failed(self, now: float, began: float, draw: float) -> "Breaker":
        """Note that a try begun at `began` failed; failures of tries that ran side by side count once.

        draw: from `[0, 1)`, chooses the rest.
        """
        if began < self.noted:
            return self
        failures = self.failures + 1
        until = now + self.rest * (1 + draw) / 2 if failures >= self.threshold else self.until
        return replace(self, failures=failures, until=until, noted=now)

    def succeeded(self) -> "Breaker":
        """Close again."""
        return replace(self, failures=0, until=0.0)
