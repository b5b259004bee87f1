"""The way out of a slice: each stream's records are packed, sent to its destination, and counted."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

from shared.clients.destination import Sender
from shared.domain.delivery import Delivery, Event, Refusal
from shared.domain.sinks import Sinks
from shared.domain.spreading import Block, blocks
from shared.domain.windows.plan import StreamPlan
from shared.domain.windows.window import feed_of, window_of
from shared.errors import FeedUnusable, SendFailed
from shared.feeds.packing import Packing, as_events
from shared.feeds.records import Records
from shared.feeds.slicing import SliceSource, StreamCounts
from shared.signals.metrics import RECORDS
from shared.signals.recording import record

type Destinations = Callable[[StreamPlan, str, Sinks], AbstractAsyncContextManager[Sender]]
"""Connects to the destination of a stream, for the attempt of that id, for as long as a context lasts.

The meters of its sinks are added, where it has more than a hub; they are complete when the context is left.
"""


@dataclass(frozen=True, slots=True)
class Outlet:
    """One stream's way out, under the id of one attempt, which each event carries as `slice`."""

    stream: StreamPlan
    attempt_id: str
    sender: Sender
    counts: StreamCounts

    async def send(self, records: Records) -> None:
        """Pack, send and count some records, in their order; raises SendFailed or LoginRefused."""
        packed = [self._packed(records.part(start, stop), number) for number, start, stop in self._cut(len(records))]
        refused = sum((Delivery(refusals=refusals) for _, refusals in packed), Delivery(refusals=records.refusals))
        read = len(records) + sum(refusal.rows for refusal in records.refusals)
        self.counts.take(read, refused)
        self._record(read=read, refused=refused.refused)
        self.counts.placed += len(records)
        events = [event for part, _ in packed for event in part]
        try:
            self._count(await self.sender.send(events))
        except SendFailed as failure:
            self._count(failure.delivery)
            raise

    def _cut(self, records: int) -> Iterable[Block]:
        """Cut so many further records into blocks where their hubs take turns, else leave them whole."""
        if len(self.stream.hubs) > 1:
            return blocks(self.counts.placed, records)
        return [Block(0, 0, records)]

    def _packed(self, records: Records, block: int) -> tuple[list[Event], tuple[Refusal, ...]]:
        return as_events(
            records,
            Packing(mode=self.stream.packing, encoding=self.stream.encoding),
            contract=self.stream.contract,
            slice_id=self.attempt_id,
            partitions=self.stream.partitions,
            block=block,
        )

    def _count(self, delivery: Delivery) -> None:
        self.counts.delivery += delivery
        wire = delivery.as_wire()
        self._record(**{outcome: wire[outcome] for outcome in ("accepted", "refused", "unknown", "spilled")})

    def _record(self, **records: int) -> None:
        feed = feed_of(window_of(self.attempt_id))
        for outcome, number in records.items():
            if number:
                record(RECORDS, number, feed=feed, stream=self.stream.name, outcome=outcome)


@asynccontextmanager
async def connected_outlets(
    streams: Iterable[StreamPlan], destinations: Destinations, attempt_id: str, counts: Mapping[str, StreamCounts]
) -> AsyncIterator[Mapping[str, Outlet]]:
    """Connect each stream to its destination for the length of a block; `counts` are by stream."""
    async with AsyncExitStack() as stack:
        outlets = {}
        for stream in streams:
            own = counts[stream.name]
            sender = await stack.enter_async_context(destinations(stream, attempt_id, own.sinks))
            outlets[stream.name] = Outlet(stream, attempt_id, sender, own)
        yield outlets


async def deliver(source: SliceSource, outlets: Mapping[str, Outlet]) -> None:
    """Send all that a source gives, batch by batch; raises what the source and the outlets raise."""
    async with aclosing(source.batches()) as batches:
        async for batch in batches:
            for stream, records in batch.items():
                if stream not in outlets:
                    raise FeedUnusable(
                        f"The feed gives records of stream {stream!r}; its plan has {', '.join(outlets)}."
                    )
                await outlets[stream].send(records)
