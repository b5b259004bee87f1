"""Counts what a sender does, and tells how fast it is: a sender around a sender."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial

from shared import telemetry
from shared.clients.destination import Sender
from shared.clients.retrying import Clock
from shared.clients.timed import timed_send
from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event
from shared.domain.sinks import SinkMeter, Statistics

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Metered:
    """Sends as `sender` does and writes into `meter` what became of it.

    sink, stream: its names in the log. charge: what was paid so far, where the sender knows; else the time is taken.
    """

    sender: Sender
    meter: SinkMeter
    sink: str
    stream: str
    charge: Callable[[], Charge] | None = None
    clock: Clock = field(default_factory=Clock)

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events; raises as the sender does."""
        return await timed_send(self.sender, events, self.clock, partial(self._settle, events))

    def end(self) -> None:
        """Tell how it went in all."""
        self._tell("sink.ended", self.meter.last())

    def _settle(self, events: Sequence[Event], delivery: Delivery, seconds: float) -> None:
        before = self.meter.charge
        spent = replace(before, milliseconds=before.milliseconds + seconds * 1000)
        self.meter.settle(events, delivery, self.charge() if self.charge else spent)
        line = self.meter.line(self.clock.now())
        if line is not None:
            self._tell("sink.progress", line)

    def _tell(self, event: str, line: Statistics) -> None:
        telemetry.info(logger, event, sink=self.sink, stream=self.stream, **asdict(line))
