"""The statistics of a running delivery: when a line is due, and what it says."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """rate: records settled a second since the last line. pending, failed, sent: records up to now. events: as sent."""

    rate: float
    pending: int
    failed: int
    sent: int
    events: int


@dataclass(slots=True)
class SendProgress:
    """Counts records handed over and settled; a line is due each `every_events` events or `every_seconds`.

    Times are seconds of the caller's clock; the first interval begins at `since`.
    """

    since: float
    every_events: int = 1_000
    every_seconds: float = 10.0
    pending: int = 0
    failed: int = 0
    sent: int = 0
    events: int = 0
    _fresh_events: int = field(default=0, init=False)
    _fresh_rows: int = field(default=0, init=False)

    def begin(self, rows: int) -> None:
        """Note records handed over for delivery."""
        self.pending += rows

    def settle(self, *, events: int, rows: int) -> None:
        """Note that a hub took `rows` records in `events` events."""
        self.pending -= rows
        self.sent += rows
        self.events += events
        self._fresh_events += events
        self._fresh_rows += rows

    def fail(self, rows: int) -> None:
        """Note records that were refused or given up."""
        self.pending -= rows
        self.failed += rows

    def line(self, now: float) -> ProgressLine | None:
        """Give the line that is due now, and begin the next interval; None while none is due."""
        elapsed = now - self.since
        if self._fresh_events < self.every_events and elapsed < self.every_seconds:
            return None
        rate = self._fresh_rows / elapsed if elapsed > 0 else float(self._fresh_rows)
        self.since, self._fresh_events, self._fresh_rows = now, 0, 0
        return ProgressLine(rate, self.pending, self.failed, self.sent, self.events)
