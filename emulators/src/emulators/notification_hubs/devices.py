"""What the phones behind a notification hub got: each shows a notification once, by the `id` in its data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class DisplayedNotification:
    """A notification on a phone. data: what the app was handed."""

    id: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(slots=True)
class Devices:
    """Inboxes by device handle. repeats: how many notifications came again and were not shown. gone: who is gone."""

    inboxes: dict[str, list[DisplayedNotification]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    repeats: int = 0

    def deliver(self, device: str, data: Mapping[str, Any], at: datetime) -> None:
        """Show a notification; one without an id is always shown."""
        inbox, name = self.inboxes.setdefault(device, []), str(data.get("id", ""))
        if name and any(one.id == name for one in inbox):
            self.repeats += 1
            return
        inbox.append(DisplayedNotification(name, at, data))
