"""Stands in for Cosmos DB in tests."""

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.clients.cosmos.items import Items
from shared.clients.cosmos.settling import Part, Settling, delivery_of, settling_of
from shared.clients.destination import ChargedSender, OnRefusal
from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed

type _Failure = Literal["refused", "unknown", "throttled", "unavailable", "halfway", "unauthorized"]

_NOT_IN_ID = frozenset("/\\?#")
_UNITS_PER_KILOBYTE = 5


@dataclass(slots=True)
class FakeCosmos:
    """Keeps the items that it is given, by container, partition key and id; only these containers exist.

    A record that can be no item and one whose id has a forbidden character are refused. away: partition keys that can't
    be reached. retry_after, rest: as of a throttling and of a resting peer. brief: of each send, whether it was not to
    wait.
    """

    containers: Collection[str]
    retry_after: float = 0.0
    rest: float = 0.0
    away: frozenset[str] = frozenset()
    stored: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    brief: list[bool] = field(default_factory=list)
    _failures: deque[_Failure] = field(default_factory=deque, init=False)

    def fail_next(self, failure: _Failure, sends: int = 1) -> None:
        """Let the next sends be refused, end unknown (but stored), find an account that is busy or away, or be denied.

        halfway: the first half of the records is stored, and then the account is away.
        """
        self._failures.extend([failure] * sends)

    @contextlib.asynccontextmanager
    async def sender(
        self, container: str, items: Items, on_refusal: OnRefusal | None = None
    ) -> AsyncIterator[ChargedSender]:
        """Lend a sender to the container."""
        yield _FakeSender(self, container, items, on_refusal)

    def take(self, sender: "_FakeSender", events: Sequence[Event]) -> Delivery:
        """Fail as the next failure asks, else store."""
        if sender.container not in self.containers:
            text = f"container {sender.container}: it answered 404"
            raise SendFailed(text, kind=FailureKind.PERMANENT, unsettled=events)
        failure = self._failures.popleft() if self._failures else None
        if failure == "unauthorized":
            raise LoginRefused(f"container {sender.container} denied access to client id fake-client")
        settling, parts = settling_of(events, sender.items)
        for part in self._reached(failure, parts):
            self._store(sender, part, is_refused=failure == "refused", is_answered=failure != "unknown")
        return self._verdict(sender, settling, failure)

    def _reached(self, failure: _Failure | None, parts: Sequence[Part]) -> Sequence[Part]:
        if failure in {"throttled", "unavailable"}:
            return ()
        near = [part for part in parts if part.partition_key not in self.away]
        return near[: len(near) // 2] if failure == "halfway" else near

    def _store(self, sender: "_FakeSender", part: Part, *, is_refused: bool, is_answered: bool) -> None:
        name = part.content["id"]
        if is_refused or _NOT_IN_ID & set(name):
            part.of.refuse(part.line, f"an item of {len(part.line)} bytes (id {name!r}) was refused: as it should be")
            return
        self.stored[sender.container, part.partition_key, name] = part.content
        part.of.stored += 1
        if is_answered:
            part.of.left -= 1
            sender.charge += Charge(_UNITS_PER_KILOBYTE * -(-len(part.line) // 1024), 1, 0, 1.0)

    def _verdict(self, sender: "_FakeSender", settling: Sequence[Settling], failure: _Failure | None) -> Delivery:
        unsettled = [one.event for one in settling if not one.is_settled]
        delivery = delivery_of(settling, sender.on_refusal)
        if not unsettled:
            return delivery
        throttled = failure == "throttled"
        sender.charge += Charge(throttled=int(throttled))
        rows = sum(event.rows for event in unsettled)
        raise SendFailed(
            f"container {sender.container}: {rows} records were not delivered",
            delivery,
            kind=FailureKind.THROTTLED if throttled else FailureKind.UNAVAILABLE,
            retry_after=self.retry_after if throttled else 0.0,
            unsettled=unsettled,
        )


@dataclass(slots=True)
class _FakeSender:
    cosmos: FakeCosmos
    container: str
    items: Items
    on_refusal: OnRefusal | None
    charge: Charge = field(default_factory=Charge)

    @property
    def rest(self) -> float:
        return self.cosmos.rest

    async def send(self, events: Sequence[Event], *, briefly: bool = False) -> Delivery:
        self.cosmos.brief.append(briefly)
        return self.cosmos.take(self, events)
