"""The connections of one `follow` taken together: reconnecting, taking over before an end, and what was interrupted."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final

from shared.errors import FeedRefused, IngestionError
from shared.trades.connection.connection import LIMIT_NEAR, Ended, Link, Plan, Proven
from shared.trades.connection.inbox import Inbox
from shared.trades.connection.transport import Transport
from shared.trades.venues.readings import (
    Alive,
    Anchored,
    Connected,
    FeedEvent,
    Interrupted,
    Leaving,
    Reading,
    Refused,
    Traded,
    Unreadable,
)

Jitter = Callable[[float], float]

LONGEST_WAIT: Final = 30.0
_FIRST_WAIT = 0.5
_STEADY = 60.0
_OVERLAP = 1.0


@dataclass(slots=True)
class Backoff:
    """Waits of `jitter(0.5 s × 2ⁿ)`, at most 30 s; what the venue itself asks for comes first, under the same cap."""

    jitter: Jitter
    failures: int = 0

    def next(self, asked: float | None = None) -> float:
        """Count one more failure and give the seconds to wait."""
        ceiling = min(_FIRST_WAIT * 2.0 ** min(self.failures, 10), LONGEST_WAIT)
        self.failures += 1
        return max(self.jitter(ceiling), min(asked or 0.0, LONGEST_WAIT))


class Following:
    """The state of one `follow`: the connection that serves, and the one that is to take over."""

    def __init__(self, plan: Plan, transport: Transport, jitter: Jitter) -> None:
        """Begin with no connection; belongs to the running event loop."""
        self._plan = plan
        self._transport = transport
        self._backoff = Backoff(jitter)
        self._inbox = Inbox()
        self._links: set[Link] = set()
        self._serving: Link | None = None
        self._coming: Link | None = None
        self._proven = 0

    async def events(self, until: asyncio.Event | None) -> AsyncGenerator[FeedEvent]:
        """Give what happens until `until` is set; raises what no retry can cure. All is closed when it is closed."""
        over = asyncio.create_task((until or asyncio.Event()).wait())
        over.add_done_callback(lambda _: self._inbox.wake())
        try:
            self._connect(0.0)
            while not over.done():
                for item in await self._inbox.take():
                    if isinstance(item, BaseException):
                        raise item
                    yield Traded(tuple(item)) if isinstance(item, list) else item
        finally:
            over.cancel()
            await self._close()

    def _hear(self, link: Link, news: Reading | Proven | Ended | IngestionError) -> None:
        match news:
            case Proven():
                self._promote(link)
            case Ended():
                self._mourn(link, news)
            case Leaving(reason):
                self._succeed(link, reason)
            case Refused(words):
                asked = ", ".join(self._plan.symbols)
                self._inbox.put(FeedRefused(f"{self._plan.venue.name} refused {asked}: {words}"))
            case Anchored() | Alive() | Unreadable() | IngestionError():
                self._inbox.put(news)

    def _promote(self, link: Link) -> None:
        if self._serving:
            self._serving.retire(_OVERLAP)
        self._serving, self._coming = link, None
        self._proven += 1
        self._inbox.put(Connected(self._proven))

    def _mourn(self, link: Link, end: Ended) -> None:
        if link.retired:
            return
        if link is self._serving:
            self._serving = None
            self._forgive(link)
        if link is self._coming:
            self._coming = None
        if self._serving is None:
            self._inbox.put(Interrupted(end.reason))
        if self._coming is None:
            self._connect(self._backoff.next(end.retry_after))

    def _succeed(self, link: Link, reason: str) -> None:
        if link is self._serving and self._coming is None:
            self._forgive(link)
            self._connect(0.0 if reason == LIMIT_NEAR or link.steady_for >= _STEADY else self._backoff.next())

    def _forgive(self, link: Link) -> None:
        if link.steady_for >= _STEADY:
            self._backoff.failures = 0

    def _connect(self, delay: float) -> None:
        link = Link(self._plan, self._transport, inbox=self._inbox, report=self._hear, delay=delay)
        self._coming = link
        self._links.add(link)
        link.task.add_done_callback(lambda task: self._forget(link, task))

    def _forget(self, link: Link, task: asyncio.Task[None]) -> None:
        self._links.discard(link)
        if not task.cancelled() and (error := task.exception()):
            self._inbox.put(error)

    async def _close(self) -> None:
        tasks = [link.task for link in self._links]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
