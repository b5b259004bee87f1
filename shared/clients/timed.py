"""Records how long each send takes, and what a hub bills for it: a sender around a sender."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.clients.destination import Sender
from shared.clients.retrying import Clock
from shared.domain.delivery import Delivery, Event
from shared.domain.sinks import billed_events
from shared.errors import SendFailed
from shared.signals.metrics import EVENTS_BILLED, SEND_DURATION, Store
from shared.signals.recording import record


@dataclass(frozen=True, slots=True)
class Timed:
    """Sends as `sender` does; stream, sink: the dimensions of what is recorded."""

    sender: Sender
    stream: str
    sink: Store
    clock: Clock = field(default_factory=Clock)

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events; raises as the sender does."""
        began = self.clock.now()
        try:
            delivery = await self.sender.send(events)
        except SendFailed as failure:
            self._record(events, failure.delivery, began)
            raise
        self._record(events, delivery, began)
        return delivery

    def _record(self, events: Sequence[Event], delivery: Delivery, began: float) -> None:
        record(SEND_DURATION, self.clock.now() - began, stream=self.stream, sink=self.sink)
        billed = billed_events(events, delivery) if self.sink == "hub" else 0
        if billed:
            record(EVENTS_BILLED, billed, stream=self.stream)
