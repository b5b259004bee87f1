"""What became of a stream's records at each of the places that get them, so that these can be compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event

THOUSAND: Final = 1_000
"""Records after which a line of statistics is due."""

LEAST_SECONDS: Final = 5.0
"""Between two such lines, however fast records go."""

BILLED_BYTES: Final = 64 * 1024
"""Each event sent is billed as one for each so many bytes (learn.microsoft.com, Event Hubs FAQ)."""

type Sinks = dict[str, "SinkMeter"]
"""The meters of a stream by sink, `hub` and `cosmos`; none where it has one destination, which needs no comparison."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """How a sink does: records up to now, and the pace of those since the line before.

    milliseconds: for 1,000 records of them. faster_percent: than 1,000 of the line before; negative where slower, None
    in the first line. units, units_s: request units in all, and a second of sending; 0 where none are charged.
    """

    accepted: int
    pending: int
    failed: int
    records_s: float
    milliseconds: float
    faster_percent: float | None
    units: float
    units_s: float


@dataclass(slots=True)
class SinkMeter:
    """Counts what one sink was given and what became of it; `charge` is what that cost, and how long it took.

    bytes: of the bodies that were taken. billed_events: events of 64 KB, as a hub bills them.
    """

    read: int = 0
    bytes: int = 0
    billed_events: int = 0
    delivery: Delivery = field(default_factory=Delivery)
    charge: Charge = field(default_factory=Charge)
    _noted: tuple[int, float] = field(default=(0, 0.0), init=False)
    _noted_at: float = field(default=float("-inf"), init=False)
    _before: float | None = field(default=None, init=False)

    def take(self, records: int, refused: Delivery) -> None:
        """Note records that are on their way, and those of them that fit in no event."""
        self.read += records
        self.delivery += refused

    def settle(self, events: Sequence[Event], delivery: Delivery, charge: Charge) -> None:
        """Note what became of some events, and what all together cost so far.

        Of events that were not all taken, their mean size is that of those that were.
        """
        self.bytes += round(_taken(events, delivery) * sum(len(event.body) for event in events))
        self.billed_events += billed_events(events, delivery)
        self.delivery += delivery
        self.charge = charge

    def line(self, now: float) -> Statistics | None:
        """Give the statistics where they are due: at 1,000 accepted records more, and not too often.

        now: seconds of the caller's clock.
        """
        fresh = self.delivery.accepted - self._noted[0]
        if fresh < THOUSAND or now - self._noted_at < LEAST_SECONDS:
            return None
        self._noted_at = now
        return self._statistics(fresh)

    def last(self) -> Statistics:
        """Give the statistics at the end, which are due whatever the number of records."""
        return self._statistics(self.delivery.accepted - self._noted[0])

    def _statistics(self, fresh: int) -> Statistics:
        accepted, charge = self.delivery.accepted, self.charge
        spent = charge.milliseconds - self._noted[1]
        thousand = spent * THOUSAND / fresh if fresh else 0.0
        faster = (self._before - thousand) / self._before * 100 if self._before and fresh else None
        self._noted, self._before = (accepted, charge.milliseconds), thousand or self._before
        failed = self.delivery.refused + self.delivery.unknown + self.delivery.spilled
        return Statistics(
            accepted=accepted,
            pending=self.read - accepted - failed,
            failed=failed,
            records_s=round(fresh / spent * 1000, 1) if spent else 0.0,
            milliseconds=round(thousand, 1),
            faster_percent=None if faster is None else round(faster, 1),
            units=round(charge.units, 1),
            units_s=round(charge.units_per_second, 1),
        )

    def as_wire(self) -> dict[str, Any]:
        """Give counts and costs as plain JSON: those of a delivery, and how long it was being sent, at what price."""
        return {
            "read": self.read,
            **self.delivery.as_wire(),
            "bytes": self.bytes,
            "billed_events": self.billed_events,
            "milliseconds": round(self.charge.milliseconds, 1),
            "units": round(self.charge.units, 2),
            "requests": self.charge.requests,
            "throttled": self.charge.throttled,
        }


def _taken(events: Sequence[Event], delivery: Delivery) -> float:
    """Give the part of some events that was taken, 0 to 1."""
    return delivery.events / len(events) if events else 0.0


def billed_events(events: Sequence[Event], delivery: Delivery) -> int:
    """Count events of 64 KB, as a hub bills those that it took; where it took some, their size is the mean of all."""
    return round(_taken(events, delivery) * sum(-(-len(event.body) // BILLED_BYTES) for event in events))


def summed(counts: Iterable[Mapping[str, Mapping[str, Mapping[str, Any]]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Add up what slices counted by stream and sink."""
    totals: dict[str, dict[str, dict[str, Any]]] = {}
    for by_stream in counts:
        for stream, sinks in by_stream.items():
            for sink, numbers in sinks.items():
                total = totals.setdefault(stream, {}).setdefault(sink, {})
                total.update({name: round(total.get(name, 0) + number, 2) for name, number in numbers.items()})
    return totals
