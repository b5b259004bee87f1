"""Delivers events to one hub: side by side for different targets, in order for each, and with honest counts."""

import asyncio
import logging
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from shared import telemetry
from shared.clients.attempts import Attempts, GaveUp, undelivered
from shared.clients.destination import OnRefusal
from shared.clients.event_hubs.link import Batch, HubProperties, Link, Target
from shared.clients.links import LinkFault, LinkSlot
from shared.clients.progress import SendProgress
from shared.domain.delivery import Delivery, Event, Refusal
from shared.errors import LoginRefused, SendFailed

logger = logging.getLogger(__name__)


class HubSender:
    """Sends to one hub; made for one loop, closed at the end.

    Partitions share one client, which holds a connection for each of them. Events with a key go through one
    connection a client whatever their key, so they are spread over `_CLIENTS` clients by their key.
    """

    def __init__(self, attempts: Attempts, make_link: Callable[[], Link], on_refusal: OnRefusal | None = None) -> None:
        """Prepare; nothing connects before the first send."""
        self._attempts = attempts
        self._on_refusal = on_refusal
        self._slots = [LinkSlot(make_link) for _ in range(_CLIENTS)]
        self._side_by_side = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._progress = SendProgress(since=attempts.retry.clock.now())

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
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._carry(queue, deadline)) for queue in _queues(events)]
        return self._verdict([task.result() for task in running], events)

    async def properties(self) -> HubProperties:
        """Ask the hub for itself and its partitions; raises SendFailed or LoginRefused."""
        try:
            return await self._attempts.run(self._slots[0], self._attempts.deadline(), lambda link: link.properties())
        except GaveUp as gave_up:
            text = f"{self._attempts.place} did not say how it stands: {gave_up}"
            raise SendFailed(text, kind=gave_up.kind, retry_after=gave_up.retry_after) from gave_up

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def _carry(self, queue: "_SendQueue", deadline: float) -> "_QueueResult":
        result = _QueueResult()
        async with self._side_by_side:
            for target, events in queue.by_target.items():
                send = _TargetSend(target, events, len(events), self._on_refusal)
                try:
                    await self._run(send, self._slots[queue.client], deadline)
                except (GaveUp, LoginRefused) as failure:
                    result.failure = failure
                result.delivery += send.delivery
                result.settled[target] = send.at
                if result.failure is not None:
                    break
        return result

    async def _run(self, send: "_TargetSend", slot: LinkSlot[Link], deadline: float) -> None:
        while not send.is_done:
            try:
                await self._attempts.run(slot, deadline, send.send_next)
            except LinkFault as rejection:
                self._progress.fail(send.reject(str(rejection)))
            except (GaveUp, LoginRefused):
                send.abandon()
                raise
            else:
                events, rows = send.settle()
                self._progress.settle(events=events, rows=rows)
            self._log_progress()

    def _verdict(self, results: Sequence["_QueueResult"], events: Sequence[Event]) -> Delivery:
        delivery = sum((result.delivery for result in results), Delivery())
        failures = [result.failure for result in results if result.failure is not None]
        if not failures:
            return delivery
        unsettled = _unsettled(events, results)
        self._progress.fail(sum(event.rows for event in unsettled))
        raise undelivered(self._attempts.place, failures, delivery, unsettled, events)

    def _log_progress(self) -> None:
        line = self._progress.line(self._attempts.retry.clock.now())
        if line is not None:
            telemetry.info(logger, "hub.progress", place=self._attempts.place, **asdict(line))


@dataclass(slots=True)
class _SendQueue:
    """Targets whose messages go one after the other, through one client."""

    client: int
    by_target: dict[Target, list[Event]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _QueueResult:
    """What became of a queue; settled: how many of each target's events, which are its first ones."""

    delivery: Delivery = field(default_factory=Delivery)
    settled: dict[Target, int] = field(default_factory=dict)
    failure: GaveUp | LoginRefused | None = None


@dataclass(slots=True)
class _TargetSend:
    """The events of one target on their way: those before `at` are settled, `batch` holds the next ones.

    stop: where the next batch ends at the latest; it shrinks while a rejected event is being looked for.
    may_be_stored: an attempt at this batch may have been stored.
    """

    target: Target
    events: list[Event]
    stop: int
    on_refusal: OnRefusal | None
    at: int = 0
    batch: Batch | None = None
    may_be_stored: bool = False
    delivery: Delivery = field(default_factory=Delivery)

    @property
    def is_done(self) -> bool:
        return self.at == len(self.events)

    async def send_next(self, link: Link) -> None:
        """Make one attempt at the next batch; the same batch as before where that was not settled."""
        await link.open()
        self.batch = self.batch or await link.fill(self.target, self.events[self.at : self._window_end])
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

    def abandon(self) -> None:
        """Count what may be stored of the batch that is given up."""
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


def _unsettled(events: Sequence[Event], results: Sequence[_QueueResult]) -> list[Event]:
    left = {target: settled for result in results for target, settled in result.settled.items()}
    found = []
    for event in events:
        target = _target(event)
        if left.get(target, 0):
            left[target] -= 1
        else:
            found.append(event)
    return found


def _target(event: Event) -> Target:
    return Target(event.partition_id, event.partition_key)


def _queues(events: Sequence[Event]) -> list[_SendQueue]:
    queues: dict[tuple[str | None, int], _SendQueue] = {}
    for event in events:
        client = 0 if event.partition_id is not None else zlib.crc32((event.partition_key or "").encode()) % _CLIENTS
        queue = queues.setdefault((event.partition_id, client), _SendQueue(client))
        queue.by_target[_target(event)].append(event)
    return list(queues.values())


_CLIENTS = 4
_SIDE_BY_SIDE = 4
_MOST_EVENTS = 10_000
