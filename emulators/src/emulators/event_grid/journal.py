"""What the grid did, for whoever looks: the newest events, attempts and dead letters."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulators.event_grid.deliveries import Delivery, dead_letter, timestamp
from emulators.event_grid.events import Event

_KEPT = 10_000


def _newest() -> deque[dict[str, Any]]:
    return deque(maxlen=_KEPT)


@dataclass(slots=True)
class Journal:
    """The newest 10,000 of each kind, oldest first."""

    events: deque[dict[str, Any]] = field(default_factory=_newest)
    deliveries: deque[dict[str, Any]] = field(default_factory=_newest)
    dead_letters: deque[dict[str, Any]] = field(default_factory=_newest)

    def published(self, event: Event, subscriptions: Sequence[str], now: datetime) -> None:
        """Note an accepted event and the subscriptions it is for."""
        noted = {"received": timestamp(now), "schema": event.schema, "subscriptions": list(subscriptions)}
        self.events.append({**noted, "event": event.fields})

    def attempted(self, delivery: Delivery, seconds: float) -> None:
        """Note an attempt that has just been counted."""
        self.deliveries.append(
            {
                "subscription": delivery.subscription.name,
                "event_id": delivery.event.id,
                "event_type": delivery.event.type,
                "subject": delivery.event.subject,
                "attempt": delivery.attempts,
                "began": timestamp(delivery.last_attempt) if delivery.last_attempt else None,
                "seconds": round(seconds, 6),
                "status": delivery.outcome.status if delivery.outcome else None,
                "outcome": delivery.outcome.name if delivery.outcome else None,
            }
        )

    def gave_up(self, delivery: Delivery, reason: str, blob: str | None) -> None:
        """Note a dead letter and the blob it was written to; None where it was dropped."""
        noted = {"subscription": delivery.subscription.name, "blob": blob}
        self.dead_letters.append({**noted, "event": dead_letter(delivery, reason)})
