"""What a phone is told of a promotion, as Azure Notification Hubs takes it.

Sources: learn.microsoft.com/rest/api/notificationhubs, "Direct send" and "Send FCM native notification".
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FORMAT: Final = "FcmV1"
MOST_BYTES: Final = 64 * 1024
"""A message may not be larger; the service answers 413."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification. device: its handle. id: by which the phone shows it once, however often it comes."""

    id: str
    device: str
    title: str
    text: str
    valid_until: datetime

    def body(self, now: datetime) -> bytes:
        """Write it; every value of `data` is a text, and the phone's service drops it when the promotion ends."""
        left = max(0.0, (self.valid_until - now).total_seconds())
        data = {"id": self.id, "title": self.title, "text": self.text, "valid_until": self.valid_until.isoformat()}
        message = {"message": {"android": {"ttl": f"{left:.0f}s", "data": data}}}
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
