"""Stands in for Event Hubs in tests."""

import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from shared.clients.destination import OnRefusal, Sender
from shared.clients.event_hubs.link import HubProperties
from shared.domain.delivery import Delivery, Event, Refusal
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed

type _Failure = Literal["refused", "unknown", "throttled", "unavailable", "unauthorized"]


@dataclass(slots=True)
class FakeEventHubs:
    """Keeps what it is given, by hub in the order of arrival; `hubs` maps the known ones to their partitions.

    An event over `limit` bytes is refused, one for a partition that a hub has not fails. `fail_next` makes the
    next sends fail, and the next call for properties where a failure keeps every answer away. retry_after: the seconds
    for which a throttled one wants to be left alone. created_at: when all of them were made.
    """

    hubs: Mapping[str, int]
    limit: int = 1_000_000
    retry_after: float = 0.0
    created_at: datetime = datetime(2026, 11, 1, 10, 0, 0, 123_000, tzinfo=UTC)
    received: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    _failures: deque[_Failure] = field(default_factory=deque, init=False)

    def fail_next(self, failure: _Failure, sends: int = 1) -> None:
        """Let the next sends be refused, end unknown (but stored), find a hub that is busy or away, or be denied."""
        self._failures.extend([failure] * sends)

    @contextlib.asynccontextmanager
    async def sender(self, hub: str, on_refusal: OnRefusal | None = None) -> AsyncIterator[Sender]:
        """Lend a sender to the hub."""
        yield _FakeSender(self, hub, on_refusal)

    async def properties(self, hub: str) -> HubProperties:
        """Count what each partition was sent by its id."""
        self._look_up(hub)
        if self._failures and self._failures[0] in {"throttled", "unavailable", "unauthorized"}:
            self._fail(hub, self._failures.popleft(), 0)
        sent = Counter(event.partition_id for event in self.received[hub])
        last = {str(partition): sent[str(partition)] - 1 for partition in range(self.hubs[hub])}
        return HubProperties(self.created_at, last)

    def take(self, hub: str, events: Sequence[Event], on_refusal: OnRefusal | None = None) -> Delivery:
        """Fail as the next failure asks, else store."""
        self._look_up(hub, {event.partition_id for event in events if event.partition_id is not None})
        failure = self._failures.popleft() if self._failures else None
        rows = sum(event.rows for event in events)
        self._fail(hub, failure, rows)
        tell = on_refusal or (lambda event, reason: None)  # noqa: ARG005 - nobody is told
        if failure == "refused":
            for event in events:
                tell(event, "refused on demand")
            return Delivery(refusals=(Refusal(rows, "refused on demand"),))
        return self._store(hub, events, tell, is_unknown=failure == "unknown")

    def _look_up(self, hub: str, partitions: Collection[str] = ()) -> None:
        if hub not in self.hubs:
            raise SendFailed(f"hub {hub} is not known", kind=FailureKind.PERMANENT)
        if not {str(partition) for partition in range(self.hubs[hub])}.issuperset(partitions):
            text = f"hub {hub} has {self.hubs[hub]} partitions, not {', '.join(sorted(partitions))}"
            raise SendFailed(text, kind=FailureKind.PERMANENT)

    def _fail(self, hub: str, failure: _Failure | None, rows: int) -> None:
        if failure in {"throttled", "unavailable"}:
            kind = FailureKind.THROTTLED if failure == "throttled" else FailureKind.UNAVAILABLE
            wait = self.retry_after if failure == "throttled" else 0.0
            raise SendFailed(f"hub {hub}: {rows} of {rows} records were not delivered", kind=kind, retry_after=wait)
        if failure == "unauthorized":
            raise LoginRefused(f"hub {hub} denied access to client id fake-client")

    def _store(self, hub: str, events: Sequence[Event], tell: OnRefusal, *, is_unknown: bool) -> Delivery:
        fitting = [event for event in events if len(event.body) <= self.limit]
        rows = sum(event.rows for event in fitting)
        self.received[hub] += fitting
        if is_unknown:
            raise SendFailed(f"hub {hub}: {rows} records may be stored", Delivery(unknown=rows))
        refusals = []
        for event in events:
            if len(event.body) > self.limit:
                refusals.append(Refusal(event.rows, f"an event of {len(event.body)} bytes is over {self.limit}"))
                tell(event, refusals[-1].reason)
        return Delivery(rows, events=len(fitting), refusals=tuple(refusals))


@dataclass(frozen=True, slots=True)
class _FakeSender:
    hubs: FakeEventHubs
    hub: str
    on_refusal: OnRefusal | None

    async def send(self, events: Sequence[Event]) -> Delivery:
        return self.hubs.take(self.hub, events, self.on_refusal)
