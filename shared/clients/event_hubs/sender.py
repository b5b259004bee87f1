"""Delivers events to one hub: side by side for different targets, in order for each, and with honest counts."""

import asyncio
import logging
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from shared import telemetry
from shared.clients.event_hubs.attempts import Attempts, GaveUp
from shared.clients.event_hubs.link import HubFault, Link, LinkSlot, Parcel, Target
from shared.clients.event_hubs.progress import Progress
from shared.domain.delivery import Delivery, Event, Refusal
from shared.errors import LoginRefused, SendFailed

logger = logging.getLogger(__name__)


class HubSender:
    """Sends to one hub; made for one loop, closed at the end.

    Partitions share one client, which holds a connection for each of them. Events with a key go through one
    connection a client whatever their key, so they are spread over `_CLIENTS` clients by their key.
    """

    def __init__(self, attempts: Attempts, make_link: Callable[[], Link]) -> None:
        """Prepare; nothing connects before the first send."""
        self._attempts = attempts
        self._slots = [LinkSlot(make_link) for _ in range(_CLIENTS)]
        self._gate = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._progress = Progress(since=attempts.rhythm.clock())

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events; accepted and refused records sum up to theirs.

        Raises SendFailed where some could not be settled within the deadline (its `delivery` has the counts so far),
        and LoginRefused where the hub or the identity provider does not let the client in.
        """
        deadline = self._attempts.deadline()
        self._progress.begin(sum(event.rows for event in events))
        async with asyncio.TaskGroup() as group:
            lanes = [group.create_task(self._carry(lane, deadline)) for lane in _lanes(events)]
        return self._verdict([lane.result() for lane in lanes], events)

    async def positions(self) -> dict[str, int]:
        """Ask the hub how far each of its partitions is; raises SendFailed or LoginRefused."""
        try:
            return await self._attempts.run(self._slots[0], self._attempts.deadline(), lambda link: link.positions())
        except GaveUp as gave_up:
            raise SendFailed(f"{self._attempts.place} does not tell its positions: {gave_up}") from gave_up

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def _carry(self, lane: "_Lane", deadline: float) -> "_Outcome":
        outcome = _Outcome()
        async with self._gate:
            for target, events in lane.by_target.items():
                errand = _Errand(target, events, len(events))
                try:
                    await self._run(errand, self._slots[lane.client], deadline)
                except (GaveUp, LoginRefused) as failure:
                    outcome.failure = failure
                outcome.delivery += errand.delivery
                if outcome.failure is not None:
                    break
        return outcome

    async def _run(self, errand: "_Errand", slot: LinkSlot, deadline: float) -> None:
        while not errand.is_done:
            try:
                await self._attempts.run(slot, deadline, errand.send_next)
            except HubFault as rejection:
                self._progress.fail(errand.reject(str(rejection)))
            except (GaveUp, LoginRefused):
                errand.abandon()
                raise
            else:
                events, rows = errand.settle()
                self._progress.settle(events=events, rows=rows)
            self._log_progress()

    def _verdict(self, outcomes: Sequence["_Outcome"], events: Sequence[Event]) -> Delivery:
        delivery = sum((outcome.delivery for outcome in outcomes), Delivery())
        failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
        if not failures:
            return delivery
        rows = sum(event.rows for event in events)
        unsettled = rows - delivery.accepted - delivery.refused
        self._progress.fail(unsettled)
        for refused in (failure for failure in failures if isinstance(failure, LoginRefused)):
            raise refused
        raise SendFailed(
            f"{self._attempts.place}: {unsettled} of {rows} records were not delivered, of which {delivery.unknown} may"
            f" be stored; the last attempt met: {failures[0]}",
            delivery,
        ) from failures[0]

    def _log_progress(self) -> None:
        line = self._progress.line(self._attempts.rhythm.clock())
        if line is not None:
            telemetry.info(logger, "hub.progress", place=self._attempts.place, **asdict(line))


@dataclass(slots=True)
class _Lane:
    """Targets whose messages go one after the other, through one client."""

    client: int
    by_target: dict[Target, list[Event]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Outcome:
    delivery: Delivery = field(default_factory=Delivery)
    failure: GaveUp | LoginRefused | None = None


@dataclass(slots=True)
class _Errand:
    """The events of one target on their way: those before `at` are settled, `parcel` holds the next ones.

    stop: where the next parcel ends at the latest; it shrinks while a rejected event is being looked for.
    doubtful: an attempt at this parcel may have been stored.
    """

    target: Target
    events: list[Event]
    stop: int
    at: int = 0
    parcel: Parcel | None = None
    doubtful: bool = False
    delivery: Delivery = field(default_factory=Delivery)

    @property
    def is_done(self) -> bool:
        return self.at == len(self.events)

    async def send_next(self, link: Link) -> None:
        """Make one attempt at the next parcel; the same parcel as before where that was not settled."""
        await link.open()
        self.parcel = self.parcel or await link.fill(self.target, self.events[self.at : self._window_end])
        doubtful_before, self.doubtful = self.doubtful, True
        try:
            await link.send(self.parcel)
        except HubFault as fault:
            self.doubtful = doubtful_before or fault.may_be_stored
            raise

    def settle(self) -> tuple[int, int]:
        """Note that the parcel was accepted; gives its events and records."""
        sent = self._parcel_events
        rows = sum(event.rows for event in sent)
        self.delivery += Delivery(accepted=rows, events=len(sent))
        self._go_on(len(sent))
        return len(sent), rows

    def reject(self, reason: str) -> int:
        """Refuse the rejected event, or halve the parcel to find it; gives the records refused."""
        suspects = self._parcel_events
        if len(suspects) > 1:
            self.stop, self.parcel = self.at + len(suspects) // 2, None
            return 0
        rows = suspects[0].rows
        self.delivery += Delivery(refusals=(Refusal(rows, _refusal_of(suspects[0], reason)),))
        self._go_on(1)
        return rows

    def abandon(self) -> None:
        """Count what may be stored of the parcel that is given up."""
        if self.doubtful:
            self.delivery += Delivery(unknown=sum(event.rows for event in self._parcel_events))

    @property
    def _parcel_events(self) -> list[Event]:
        return self.events[self.at : self.at + (self.parcel.events if self.parcel else 1)]

    @property
    def _window_end(self) -> int:
        return min(self.stop, self.at + _MOST_EVENTS)

    def _go_on(self, settled: int) -> None:
        self.at += settled
        self.stop = len(self.events) if self.at >= self.stop else self.stop
        self.parcel, self.doubtful = None, False


def _refusal_of(event: Event, reason: str) -> str:
    where = f"key {event.partition_key!r}" if event.partition_key is not None else f"partition {event.partition_id}"
    return f"an event of {len(event.body)} bytes ({event.rows} records, {where}) was refused: {reason}"


def _lanes(events: Sequence[Event]) -> list[_Lane]:
    lanes: dict[tuple[str | None, int], _Lane] = {}
    for event in events:
        client = 0 if event.partition_id is not None else zlib.crc32((event.partition_key or "").encode()) % _CLIENTS
        lane = lanes.setdefault((event.partition_id, client), _Lane(client))
        lane.by_target[Target(event.partition_id, event.partition_key)].append(event)
    return list(lanes.values())


_CLIENTS = 4
_SIDE_BY_SIDE = 4
_MOST_EVENTS = 10_000
