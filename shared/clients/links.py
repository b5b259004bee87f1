"""One link to a service as a sender has it: what may go wrong with it, and when it is replaced."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

from shared.domain.failures import FailureKind


class LinkFault(Exception):
    """One attempt failed; `reason` holds no secret, `may_be_stored` says whether the peer may hold the message.

    retry_after: the seconds for which nobody may ask again, where the peer named some. answered: the peer itself said
    so, over a link that is sound. paced: it only asked for patience, as it does of everybody who sends fast.
    """

    def __init__(
        self,
        kind: FailureKind,
        reason: str,
        *,
        may_be_stored: bool = False,
        retry_after: float = 0.0,
        answered: bool = False,
        paced: bool = False,
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.may_be_stored = may_be_stored
        self.retry_after = retry_after
        self.answered = answered
        self.paced = paced


class Closable(Protocol):
    """A connected client, for one event loop."""

    async def close(self) -> None:
        """Disconnect; never raises."""


@dataclass(slots=True)
class _Lease[L: Closable]:
    link: L
    users: int = 0
    broken: bool = False


@dataclass(slots=True)
class LinkSlot[L: Closable]:
    """Holds one link; one that broke is replaced at the next use and closed when its last user has left."""

    make: Callable[[], L]
    _current: _Lease[L] | None = field(default=None, init=False)
    _closing: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[L]:
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

    def _retire(self, lease: _Lease[L]) -> None:
        if not lease.broken:
            return
        if self._current is lease:
            self._current = None
        if lease.users == 0:
            task = asyncio.create_task(lease.link.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _leaves_link_whole(error: BaseException) -> bool:
    if not isinstance(error, LinkFault):
        return False
    return error.answered or error.kind in {FailureKind.THROTTLED, FailureKind.REJECTED}
