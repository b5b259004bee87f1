"""What every slice works with, whatever its feed: how time passes for it, its source, and the count of what it did."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.domain.delivery import Delivery, Refusal
from shared.domain.sinks import Sinks
from shared.domain.windows.plan import Plan
from shared.domain.windows.window import Window
from shared.feeds.records import Records

type StreamRecords = Mapping[str, Records]
"""Records by the name of their stream, in the order in which they are to be sent."""


@dataclass(frozen=True, slots=True)
class SliceClock:
    """How time passes for one slice: the clock, the way to wait, and when its window is to stop."""

    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    stop_at: Callable[[], datetime | None]


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """What to complete: `window` is the plan's, but for its end where it was stopped.

    reports: what each completed slice reported. previous: what the last slice of the window before reported, where that
    ends at this one's start, else None. until: when to leave off, never where it is None; what is not done then stands
    in the report's `rest`. earlier: the report of a closing of these slices that left off; this one goes on there.
    """

    plan: Plan
    window: Window
    reports: Sequence[Mapping[str, Any]]
    previous: Mapping[str, Any] | None
    until: datetime | None = None
    earlier: Mapping[str, Any] | None = None


class SliceSource(Protocol):
    """Where one slice's records come from."""

    def batches(self) -> AsyncGenerator[StreamRecords]:
        """Give records as soon as they are to be sent, until the slice has no more.

        Whoever asks for the next batch has sent the one before it. Raises FeedRefused and Unavailable. An asker that
        leaves early closes the iterator, which ends everything that runs behind it.
        """

    def report(self) -> Mapping[str, Any]:
        """Say what was seen, as plain JSON; asked after the last batch."""


class RunningSource(SliceSource, Protocol):
    """The source of a try, which tells how far it is while it runs."""

    def progress(self) -> Mapping[str, Any]:
        """Say how far it is, as plain JSON; asked when a batch was sent. Empty where every try begins anew."""


@dataclass(slots=True)
class StreamCounts:
    """What a running slice has done so far with one stream; read by whoever reports progress.

    placed: records that have a place in their slice: those that were read, less those that their source refused. sinks:
    the same for the stream's hub and its container of Cosmos DB, where it has one, each for itself.
    """

    read: int = 0
    placed: int = 0
    delivery: Delivery = field(default_factory=Delivery)
    sinks: Sinks = field(default_factory=dict)

    def take(self, records: int, refused: Delivery) -> None:
        """Note records that are on their way, and those of them that fit in no event."""
        self.read += records
        self.delivery += refused
        for meter in self.sinks.values():
            meter.take(records, refused)

    def as_wire(self) -> dict[str, int]:
        """Give the counts of one stream: read, accepted, refused, unknown, spilled, events."""
        return {"read": self.read} | self.delivery.as_wire()

    @classmethod
    def from_wire(cls, wire: Mapping[str, int], placed: int) -> "StreamCounts":
        """Go on from what `as_wire` gave; the reasons of what was refused are not in it, nor what was placed."""
        refused = wire.get("refused", 0)
        refusals = (Refusal(refused, "refused in an earlier try"),) if refused else ()
        kept = {name: wire.get(name, 0) for name in ("accepted", "unknown", "spilled", "events")}
        return cls(wire.get("read", 0), placed, Delivery(**kept, refusals=refusals))


def sinks_of(counts: Mapping[str, StreamCounts]) -> dict[str, dict[str, dict[str, Any]]]:
    """Give as plain JSON, by stream and sink, what streams with two of them have done at each."""
    return {
        stream: {sink: meter.as_wire() for sink, meter in each.sinks.items()}
        for stream, each in counts.items()
        if each.sinks
    }
