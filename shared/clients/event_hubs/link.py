"""One link to a hub as the sender sees it: what it can do, what may go wrong with it, and when it is replaced."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.domain.delivery import Event
from shared.domain.failures import FailureKind


class Target(NamedTuple):
    """Where an event goes: to a partition, by a key, or anywhere."""

    partition_id: str | None
    partition_key: str | None


class HubFault(Exception):
    """One attempt failed; `reason` holds no secret, `may_be_stored` says whether the hub may hold the message.

    retry_after: the seconds for which nobody may ask again, where the peer named some.
    """

    def __init__(
        self, kind: FailureKind, reason: str, *, may_be_stored: bool = False, retry_after: float = 0.0
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.may_be_stored = may_be_stored
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Batch:
    """The first `events` of some events as one message of the link."""

    events: int
    content: object


@dataclass(frozen=True, slots=True)
class HubProperties:
    """What a hub says of itself.

    created_at: when it was made, in UTC; a hub made anew under the same name counts its events from 0 again.
    last_sequence_numbers: of each of its partitions, -1 for an empty one.
    """

    created_at: datetime
    last_sequence_numbers: Mapping[str, int]


class Link(Protocol):
    """A connected client of one hub. Every method raises `HubFault`, or `LoginRefused` where no token can be had."""

    async def open(self) -> None:
        """Connect; returns at once where the link is open."""

    async def fill(self, target: Target, events: Sequence[Event]) -> Batch:
        """Put as many of the events, from the first on, into one message as the hub allows.

        Rejects where the first is too large for any.
        """

    async def send(self, batch: Batch) -> None:
        """Send one message and wait for the hub's answer."""

    async def properties(self) -> HubProperties:
        """Ask the hub, and each of its partitions."""

    async def close(self) -> None:
        """Disconnect; never raises."""


@dataclass(slots=True)
class _Lease:
    link: Link
    users: int = 0
    broken: bool = False


@dataclass(slots=True)
class LinkSlot:
    """Holds one link; one that broke is replaced at the next use and closed when its last user has left."""

    make: Callable[[], Link]
    _current: _Lease | None = field(default=None, init=False)
    _closing: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Link]:
        """Lend the link; leaving with anything but the answer of a throttling or rejecting hub means that it broke."""
        lease = self._current = self._current or _Lease(self.make())
        lease.users += 1
        try:
            yield lease.link
        except BaseException as error:
            lease.broken |= not _leaves_link_whole(error)
            raise
        finally:
            lease.users -= 1
            self._retire(lease)

    async def close(self) -> None:
        """Close the link, and wait for those that are closing."""
        if self._current is not None:
            self._current.broken = True
            self._retire(self._current)
        await asyncio.gather(*self._closing)

    def _retire(self, lease: _Lease) -> None:
        if not lease.broken:
            return
        if self._current is lease:
            self._current = None
        if lease.users == 0:
            task = asyncio.create_task(lease.link.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _leaves_link_whole(error: BaseException) -> bool:
    return isinstance(error, HubFault) and error.kind in {FailureKind.THROTTLED, FailureKind.REJECTED}
