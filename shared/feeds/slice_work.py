"""What every slice works with, whatever its feed: how time passes for it, and the count of what it has done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes for one slice: the clock, the way to wait, and when its window is to stop."""

    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    stop_at: Callable[[], datetime | None]


@dataclass(slots=True)
class Tally:
    """What a running slice has done so far; read by whoever reports progress."""

    read: int = 0
    delivery: Delivery = field(default_factory=Delivery)

    def as_wire(self) -> dict[str, int]:
        """Give the counts of one stream: read, accepted, refused, unknown, events."""
        return {"read": self.read} | self.delivery.as_wire()
