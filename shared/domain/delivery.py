"""What is handed to a hub, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class HubRecordRefused(ValueError):
    """A record that can't be used; its text is a short reason, one of a few, by which such records are counted."""


@dataclass(frozen=True, slots=True)
class Event:
    """One Event Hubs message: `rows` records in `body`, sent by partition key, to a partition, or to neither.

    block: which block of its slice its records are of (`shared.domain.spreading`); it is not sent. at: when
    the hub took it, of an event that was read.
    """

    body: bytes
    rows: int
    properties: Mapping[str, str | int]
    partition_key: str | None = None
    partition_id: str | None = None
    block: int = field(default=0, compare=False)
    at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Records that a hub can never take, and why."""

    rows: int
    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of records handed to a hub; all numbers but `events` count records.

    accepted: the hub acknowledged them. refused: it never will take them. unknown: they may be stored, even twice.
    spilled: they are kept elsewhere until the hub is back.
    """

    accepted: int = 0
    unknown: int = 0
    spilled: int = 0
    events: int = 0
    refusals: tuple[Refusal, ...] = field(default=())

    @property
    def refused(self) -> int:
        """Count the refused records."""
        return sum(refusal.rows for refusal in self.refusals)

    def __add__(self, other: "Delivery") -> "Delivery":
        """Add up two deliveries; the first 20 refusal reasons are kept, all their rows are."""
        return Delivery(
            self.accepted + other.accepted,
            self.unknown + other.unknown,
            self.spilled + other.spilled,
            self.events + other.events,
            _merge(self.refusals, other.refusals),
        )

    def as_wire(self) -> dict[str, Any]:
        """Give the counts as plain JSON: accepted, refused, unknown, spilled, events."""
        return {
            "accepted": self.accepted,
            "refused": self.refused,
            "unknown": self.unknown,
            "spilled": self.spilled,
            "events": self.events,
        }


_KEPT_REASONS = 20


def _merge(left: tuple[Refusal, ...], right: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    both = left + right
    if len(both) <= _KEPT_REASONS:
        return both
    rest = sum(refusal.rows for refusal in both[_KEPT_REASONS - 1 :])
    return (*both[: _KEPT_REASONS - 1], Refusal(rest, "further refusals"))
