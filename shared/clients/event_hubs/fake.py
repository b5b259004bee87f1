"""Stands in for Event Hubs in tests."""

import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from shared.clients.destination import OnRefusal, RestingSender
from shared.clients.event_hubs.link import HubProperties
from shared.domain.delivery import Delivery, Event, Refusal
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed

type _Failure = Literal["refused", "unknown", "throttled", "unavailable", "halfway", "unauthorized"]


@dataclass(slots=True)
class FakeEventHubs:
    """Keeps what it is given, by hub in the order of arrival; `hubs` maps the known ones to their partitions.

    An event over `limit` bytes is refused, one for a partition that a hub has not fails. `fail_next` makes the
    next sends fail, and the next call for properties where a failure keeps every answer away. retry_after: the seconds
    for which a throttled one wants to be left alone. rest: the seconds for which senders leave their hub alone.
    away: the hubs that are, whoever asks. created_at: when all of them were made. brief: of each send, whether it was
    not to wait.
    """

    hubs: Mapping[str, int]
    limit: int = 1_000_000
    retry_after: float = 0.0
    rest: float = 0.0
    created_at: datetime = datetime(2026, 11, 1, 10, 0, 0, 123_000, tzinfo=UTC)
    away: set[str] = field(default_factory=set)
    received: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    brief: list[bool] = field(default_factory=list)
    _failures: deque[_Failure] = field(default_factory=deque, init=False)

    def fail_next(self, failure: _Failure, sends: int = 1) -> None:
        """Let the next sends be refused, end unknown (but stored), find a hub that is busy or away, or be denied.

        halfway: the hub takes the first half of the events, and then it is away.
        """
        self._failures.extend([failure] * sends)

    @contextlib.asynccontextmanager
    async def sender(
        self,
        hub: str,
        on_refusal: OnRefusal | None = None,
        *,
        ahead: bool = False,  # noqa: ARG002 - it has nothing to connect to
    ) -> AsyncIterator[RestingSender]:
        """Lend a sender to the hub."""
        yield _FakeSender(self, hub, on_refusal)

    async def properties(self, hub: str) -> HubProperties:
        """Count what each partition was sent by its id."""
        self._look_up(hub)
        if hub in self.away:
            raise self._away(hub, ())
        if self._failures and self._failures[0] in {"throttled", "unavailable", "unauthorized"}:
            self._fail(hub, self._failures.popleft(), ())
        sent = Counter(event.partition_id for event in self.received[hub])
        last = {str(partition): sent[str(partition)] - 1 for partition in range(self.hubs[hub])}
        return HubProperties(self.created_at, last)

    def take(self, hub: str, events: Sequence[Event], on_refusal: OnRefusal | None = None) -> Delivery:
        """Fail as the next failure asks, else store."""
        self._look_up(hub, {event.partition_id for event in events if event.partition_id is not None})
        if hub in self.away:
            raise self._away(hub, events)
        failure = self._failures.popleft() if self._failures else None
        self._fail(hub, failure, events)
        tell = on_refusal or (lambda event, reason: None)  # noqa: ARG005 - none asked
        if failure == "refused":
            return _refused(events, "refused on demand", tell)
        if failure == "halfway":
            half = len(events) // 2
            raise self._away(hub, events[half:], self._store(hub, events[:half], tell))
        delivery = self._store(hub, events, tell)
        if failure == "unknown":
            unknown = Delivery(unknown=delivery.accepted)
            raise SendFailed(f"hub {hub}: {unknown.unknown} records may be stored", unknown, unsettled=events)
        return delivery

    def _look_up(self, hub: str, partitions: Collection[str] = ()) -> None:
        if hub not in self.hubs:
            raise SendFailed(f"hub {hub} is not known", kind=FailureKind.PERMANENT)
        if not {str(partition) for partition in range(self.hubs[hub])}.issuperset(partitions):
            text = f"hub {hub} has {self.hubs[hub]} partitions, not {', '.join(sorted(partitions))}"
            raise SendFailed(text, kind=FailureKind.PERMANENT)

    def _fail(self, hub: str, failure: _Failure | None, events: Sequence[Event]) -> None:
        if failure == "throttled":
            raise self._away(hub, events, kind=FailureKind.THROTTLED, retry_after=self.retry_after)
        if failure == "unavailable":
            raise self._away(hub, events)
        if failure == "unauthorized":
            raise LoginRefused(f"hub {hub} denied access to client id fake-client")

    def _away(
        self,
        hub: str,
        events: Sequence[Event],
        delivery: Delivery | None = None,
        kind: FailureKind = FailureKind.UNAVAILABLE,
        retry_after: float = 0.0,
    ) -> SendFailed:
        text = f"hub {hub}: {_rows(events)} records were not delivered"
        return SendFailed(text, delivery, kind=kind, retry_after=retry_after, unsettled=events)

    def _store(self, hub: str, events: Sequence[Event], tell: OnRefusal) -> Delivery:
        fitting = [event for event in events if len(event.body) <= self.limit]
        self.received[hub] += fitting
        over = [event for event in events if len(event.body) > self.limit]
        return Delivery(_rows(fitting), events=len(fitting)) + _refused(over, f"it is over {self.limit} bytes", tell)


@dataclass(frozen=True, slots=True)
class _FakeSender:
    hubs: FakeEventHubs
    hub: str
    on_refusal: OnRefusal | None

    @property
    def rest(self) -> float:
        return self.hubs.rest

    async def send(self, events: Sequence[Event], *, briefly: bool = False) -> Delivery:
        self.hubs.brief.append(briefly)
        return self.hubs.take(self.hub, events, self.on_refusal)


def _refused(events: Sequence[Event], reason: str, tell: OnRefusal) -> Delivery:
    refusals = [Refusal(event.rows, f"an event of {len(event.body)} bytes: {reason}") for event in events]
    for event, refusal in zip(events, refusals, strict=True):
        tell(event, refusal.reason)
    return Delivery(refusals=tuple(refusals))


def _rows(events: Sequence[Event]) -> int:
    return sum(event.rows for event in events)
