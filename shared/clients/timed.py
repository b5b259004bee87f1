"""Records how long each send takes, and what a hub bills for it: a sender around a sender."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from shared.clients.destination import Sender
from shared.clients.retrying import Clock
from shared.domain.delivery import Delivery, Event
from shared.domain.sinks import billed_events
from shared.errors import SendFailed
from shared.signals.metrics import EVENTS_BILLED, SEND_DURATION, Store
from shared.signals.recording import record


async def timed_send(
    sender: Sender, events: Sequence[Event], clock: Clock, settle: Callable[[Delivery, float], None]
) -> Delivery:
    """Send, and tell `settle` what became of the events and how many seconds it took; raises as the sender does."""
    began = clock.now()
    try:
        delivery = await sender.send(events)
    except SendFailed as failure:
        settle(failure.delivery, clock.now() - began)
        raise
    settle(delivery, clock.now() - began)
    return delivery


@dataclass(frozen=True, slots=True)
class Timed:
    """Sends as `sender` does; stream, sink: the dimensions of what is recorded."""

    sender: Sender
    stream: str
    sink: Store
    clock: Clock = field(default_factory=Clock)

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events; raises as the sender does."""
        return await timed_send(self.sender, events, self.clock, partial(self._record, events))

    def _record(self, events: Sequence[Event], delivery: Delivery, seconds: float) -> None:
        record(SEND_DURATION, seconds, stream=self.stream, sink=self.sink)
        billed = billed_events(events, delivery) if self.sink == "hub" else 0
        if billed:
            record(EVENTS_BILLED, billed, stream=self.stream)
