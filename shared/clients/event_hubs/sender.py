"""Delivers events to one hub: side by side for different targets, in order for each, and with honest counts."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from shared import telemetry
from shared.clients.attempts import Attempts, GaveUp, undelivered
from shared.clients.destination import OnRefusal
from shared.clients.event_hubs.link import Batch, HubProperties, Link
from shared.clients.links import LinkFault, LinkSlot
from shared.clients.progress import SendProgress
from shared.domain.delivery import Delivery, Event, Refusal
from shared.domain.partitioning import partition_of
from shared.errors import LoginRefused, SendFailed, Unavailable

logger = logging.getLogger(__name__)


class HubSender:
    """Sends to one hub; made for one loop, closed at the end.

    Partitions share one client, which holds a connection for each of them. Events with a key are sent to the partition
    of their key: a message to a partition holds those of all its keys, and one by a key only that key's own.
    """

    def __init__(self, attempts: Attempts, make_link: Callable[[], Link], on_refusal: OnRefusal | None = None) -> None:
        """Prepare; nothing connects before the first send."""
        self._attempts = attempts
        self._on_refusal = on_refusal
        self._slot = LinkSlot(make_link)
        self._partitions: tuple[str, ...] = ()
        self._ahead: asyncio.Task[None] | None = None
        self._side_by_side = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._progress = SendProgress(since=attempts.retry.clock.now())

    def connect(self) -> None:
        """Begin to connect to each partition, ahead of the first send, which then waits for that and no longer."""
        self._ahead = asyncio.create_task(self._connect())

    @property
    def rest(self) -> float:
        """Give the seconds for which the hub is left alone."""
        return self._attempts.rest

    async def send(self, events: Sequence[Event], *, briefly: bool = False) -> Delivery:
        """Deliver the events; accepted and refused records sum up to theirs.

        Raises SendFailed where some could not be settled within the deadline (its `delivery` has the counts so far,
        `unsettled` those events), and LoginRefused where the hub or the identity provider denies the client access.
        """
        deadline = self._attempts.deadline(briefly=briefly)
        self._progress.begin(sum(event.rows for event in events))
        if self._ahead is not None:
            await asyncio.wait([self._ahead])
        try:
            places = await self._places(events, deadline)
        except (GaveUp, LoginRefused) as failure:
            raise self._failed([failure], Delivery(), events, events) from failure
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._carry(*queue, deadline)) for queue in _queues(events, places).items()]
        return self._verdict([task.result() for task in running], events, places)

    async def properties(self) -> HubProperties:
        """Ask the hub for itself and its partitions; raises SendFailed or LoginRefused."""
        try:
            return await self._attempts.run(self._slot, self._attempts.deadline(), lambda link: link.properties())
        except GaveUp as gave_up:
            text = f"{self._attempts.place} did not say how it stands: {gave_up}"
            raise SendFailed(text, kind=gave_up.kind, retry_after=gave_up.retry_after) from gave_up

    async def close(self) -> None:
        """Close all connections."""
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.wait([self._ahead])
        await self._slot.close()

    async def _connect(self) -> None:
        """Make one try; what keeps the hub away is met again by the first send, which tells it."""
        seconds = self._attempts.retry.timeouts.attempt
        with contextlib.suppress(LinkFault, LoginRefused, Unavailable, TimeoutError):
            async with self._slot.use() as link:
                await asyncio.wait_for(link.open(), seconds)
                partitions = await asyncio.wait_for(link.partitions(), seconds)
                await asyncio.wait_for(link.connect(partitions), seconds)
                self._partitions = partitions

    async def _places(self, events: Sequence[Event], deadline: float) -> list[str | None]:
        """Give the partition of each event, None where it may be any; the hub is asked for its partitions once."""
        if not self._partitions and any(event.partition_key and event.partition_id is None for event in events):
            await self._attempts.run(self._slot, deadline, lambda link: link.open())
            self._partitions = await self._attempts.run(self._slot, deadline, lambda link: link.partitions())
        return [_place(event, self._partitions) for event in events]

    async def _carry(self, partition_id: str | None, events: list[Event], deadline: float) -> "_PartitionSend":
        send = _PartitionSend(partition_id, events, len(events), self._on_refusal)
        async with self._side_by_side:
            try:
                await self._run(send, deadline)
            except (GaveUp, LoginRefused) as failure:
                send.abandon(failure)
                self._partitions = ()  # the hub may be another one by now
        return send

    async def _run(self, send: "_PartitionSend", deadline: float) -> None:
        while not send.is_done:
            try:
                await self._attempts.run(self._slot, deadline, send.send_next)
            except LinkFault as rejection:
                self._progress.fail(send.reject(str(rejection)))
            else:
                events, rows = send.settle()
                self._progress.settle(events=events, rows=rows)
            self._log_progress()

    def _verdict(
        self, sends: Sequence["_PartitionSend"], events: Sequence[Event], places: Sequence[str | None]
    ) -> Delivery:
        delivery = sum((send.delivery for send in sends), Delivery())
        failures = [send.failure for send in sends if send.failure is not None]
        if not failures:
            return delivery
        settled = {send.partition_id: send.at for send in sends}
        raise self._failed(failures, delivery, _unsettled(events, places, settled), events)

    def _failed(
        self,
        failures: Sequence[GaveUp | LoginRefused],
        delivery: Delivery,
        unsettled: Sequence[Event],
        events: Sequence[Event],
    ) -> LoginRefused | SendFailed:
        self._progress.fail(sum(event.rows for event in unsettled))
        return undelivered(self._attempts.place, failures, delivery, unsettled, events)

    def _log_progress(self) -> None:
        line = self._progress.line(self._attempts.retry.clock.now())
        if line is not None:
            telemetry.info(logger, "hub.progress", place=self._attempts.place, **asdict(line))


@dataclass(slots=True)
class _PartitionSend:
    """The events of one partition, or of any, on their way: those before `at` are settled, `batch` holds the next ones.

    They go one message after the other. stop: where the next batch ends at the latest; it shrinks while a rejected
    event is being looked for. may_be_stored: an attempt at this batch may have been stored. failure: why the rest is
    given up.
    """

    partition_id: str | None
    events: list[Event]
    stop: int
    on_refusal: OnRefusal | None
    at: int = 0
    batch: Batch | None = None
    may_be_stored: bool = False
    delivery: Delivery = field(default_factory=Delivery)
    failure: GaveUp | LoginRefused | None = None

    @property
    def is_done(self) -> bool:
        return self.at == len(self.events)

    async def send_next(self, link: Link) -> None:
        """Make one attempt at the next batch; the same batch as before where that was not settled."""
        await link.open()
        self.batch = self.batch or await link.fill(self.partition_id, self.events[self.at : self._window_end])
        stored_before, self.may_be_stored = self.may_be_stored, True
        try:
            await link.send(self.batch)
        except LinkFault as fault:
            self.may_be_stored = stored_before or fault.may_be_stored
            raise

    def settle(self) -> tuple[int, int]:
        """Note that the batch was accepted; gives its events and records."""
        sent = self._batch_events
        rows = sum(event.rows for event in sent)
        self.delivery += Delivery(accepted=rows, events=len(sent))
        self._go_on(len(sent))
        return len(sent), rows

    def reject(self, reason: str) -> int:
        """Refuse the rejected event, or halve the batch to find it; gives the records refused."""
        suspects = self._batch_events
        if len(suspects) > 1:
            self.stop, self.batch = self.at + len(suspects) // 2, None
            return 0
        rows, words = suspects[0].rows, _refusal_of(suspects[0], reason)
        self.delivery += Delivery(refusals=(Refusal(rows, words),))
        if self.on_refusal:
            self.on_refusal(suspects[0], words)
        self._go_on(1)
        return rows

    def abandon(self, failure: GaveUp | LoginRefused) -> None:
        """Give up what is not settled, and count what may be stored of its first batch."""
        self.failure = failure
        if self.may_be_stored:
            self.delivery += Delivery(unknown=sum(event.rows for event in self._batch_events))

    @property
    def _batch_events(self) -> list[Event]:
        return self.events[self.at : self.at + (self.batch.events if self.batch else 1)]

    @property
    def _window_end(self) -> int:
        return min(self.stop, self.at + _MOST_EVENTS)

    def _go_on(self, settled: int) -> None:
        self.at += settled
        self.stop = len(self.events) if self.at >= self.stop else self.stop
        self.batch, self.may_be_stored = None, False


def _refusal_of(event: Event, reason: str) -> str:
    where = f"key {event.partition_key!r}" if event.partition_key is not None else f"partition {event.partition_id}"
    return f"an event of {len(event.body)} bytes ({event.rows} records, {where}) was refused: {reason}"


def _unsettled(events: Sequence[Event], places: Sequence[str | None], settled: Mapping[str | None, int]) -> list[Event]:
    """Give the events that are not among the first ones of their partition that were settled, in their order."""
    left, found = dict(settled), []
    for event, place in zip(events, places, strict=True):
        if left[place]:
            left[place] -= 1
        else:
            found.append(event)
    return found


def _queues(events: Sequence[Event], places: Sequence[str | None]) -> dict[str | None, list[Event]]:
    queues: dict[str | None, list[Event]] = defaultdict(list)
    for event, place in zip(events, places, strict=True):
        queues[place].append(event)
    return queues


def _place(event: Event, partitions: Sequence[str]) -> str | None:
    if event.partition_id is not None or not event.partition_key:
        return event.partition_id
    return partition_of(event.partition_key, partitions)


_SIDE_BY_SIDE = 4
_MOST_EVENTS = 10_000
