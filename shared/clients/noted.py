"""Notes that rows are about to be written: a sender around a sender."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.clients.destination import Sender
from shared.domain.delivery import Delivery, Event
from shared.domain.exports import NOTED_EVERY
from shared.errors import SendFailed, Unavailable


@dataclass(slots=True)
class Noted:
    """Sends as `sender` does; before the first send, and then each minute, `note` is told the time."""

    sender: Sender
    note: Callable[[datetime], None]
    clock: Callable[[], datetime]
    _noted: datetime | None = field(default=None, init=False)

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events; raises as the sender does, and SendFailed where it can't be noted: nothing was sent."""
        now = self.clock()
        if self._noted is None or now - self._noted >= NOTED_EVERY:
            try:
                await asyncio.to_thread(self.note, now)
            except Unavailable as error:
                text = f"It can't be noted that rows are written: {error}"
                raise SendFailed(text, kind=error.kind, retry_after=error.retry_after) from error
            self._noted = now
        return await self.sender.send(events)
