"""Producers whose events can be told apart, and what of them stands in a hub."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.clients.destination import Sender
from shared.domain.delivery import Event as Message
from shared.errors import SendFailed
from tests.faults.verdict import Arrival, Event, Told, Verdict, judge
from tests.integration.sending.stage import Platform, read_back

LARGE_ONE, LARGE = 500, 50 * 1024
"""Which event of each thousand is large, and how many bytes it has at least."""


@dataclass
class Producer:
    """Numbers the events of its source, sends them in their order, and notes what it is told of each.

    One in a thousand is larger than a message of a storage queue may be.
    """

    source: str
    ledger: dict[Event, Told] = field(default_factory=dict)

    async def send(self, sender: Sender, count: int) -> SendFailed | None:
        """Send the next `count` events as one batch; gives the failure, where there is one."""
        first = len(self.ledger)
        batch = [Event(self.source, number) for number in range(first, first + count)]
        try:
            delivery = await sender.send([message(event) for event in batch])
        except SendFailed as failure:
            self._note(batch, Told.UNKNOWN if failure.delivery.unknown else Told.FAILED)
            return failure
        assert delivery.accepted + delivery.spilled == count
        self._note(batch, Told.ACCEPTED)
        return None

    def _note(self, batch: Sequence[Event], told: Told) -> None:
        self.ledger.update(dict.fromkeys(batch, told))


@dataclass(frozen=True)
class Hub:
    """What one hub holds since it was first looked at."""

    platform: Platform
    name: str
    since: list[dict[str, int]]

    @classmethod
    def of(cls, platform: Platform, name: str) -> "Hub":
        return cls(platform, name, platform.stored(name))

    async def arrivals(self, read: Callable[[bytes], Arrival] | None = None) -> list[tuple[Arrival, float]]:
        """Read all events in the order of each partition, and when the hub took each (seconds since 1970).

        read: tells an event by its body; by default that of a Producer.
        """
        read = read or arrival
        found = await read_back(self.platform, self.name, self.since, within=120)
        return [
            (read(event.body_as_str().encode()), event.enqueued_time.timestamp())
            for events in found.values()
            for event in events
        ]

    async def verdict(self, *producers: Producer) -> Verdict:
        """Judge what became of all that the producers sent."""
        ledger = {event: told for producer in producers for event, told in producer.ledger.items()}
        return judge(ledger, [one for one, _ in await self.arrivals()])


def message(event: Event) -> Message:
    """Give an event by the key of its source."""
    filling = "x" * (LARGE if event.number % 1000 == LARGE_ONE else 0)
    body = json.dumps({"source": event.source, "number": event.number, "filling": filling}).encode()
    return Message(body, 1, {"contract": "faults/1"}, partition_key=event.source)


def arrival(body: bytes) -> Arrival:
    """Tell which event this is, known by its whole body: one that came with two bodies is doubled to a verdict."""
    found = json.loads(body)
    return Arrival(Event(found["source"], found["number"]), body)
