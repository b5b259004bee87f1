"""One connection to a venue as a task: handshake, subscription, frames, signs of life, until it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.errors import IngestionError, Unreachable
from shared.trades.connection.inbox import Inbox
from shared.trades.connection.transport import DEADLINE, Socket, Transport
from shared.trades.venues.readings import Acknowledged, Anchored, Leaving, Reading, Traded
from shared.trades.venues.venue import Venue

Clock = Callable[[], int]

LIMIT_NEAR: Final = "the connection limit is near"
_MARGIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Plan:
    """What every connection of one `follow` has in common; `limit` is how long the venue keeps a connection."""

    venue: Venue
    url: str
    symbols: tuple[str, ...]
    limit: timedelta | None
    clock: Clock

    @property
    def life(self) -> float | None:
        """Give the seconds after which another connection takes over: 10 minutes, or a quarter, before the limit."""
        return None if self.limit is None else (self.limit - min(_MARGIN, self.limit / 4)).total_seconds()


@dataclass(frozen=True, slots=True)
class Proven:
    """The subscription stands: the venue acknowledged it, or sent the first trade."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection ended, or could not be made; `retry_after` is the wait in seconds that the venue asked for."""

    reason: str
    retry_after: float | None = None


Report = Callable[["Link", Reading | Proven | Ended | IngestionError], None]


class Link:
    """One connection, from its handshake to its end; trades go to the inbox, all else is reported at once."""

    def __init__(self, plan: Plan, transport: Transport, *, inbox: Inbox, report: Report, delay: float) -> None:
        """Begin to connect in `delay` seconds."""
        self._plan = plan
        self._transport = transport
        self._inbox = inbox
        self._report = report
        self._now = asyncio.get_running_loop().time
        self._heard = self._opened = 0.0
        self._proven_at: float | None = None
        self._leaving = False
        self.retired = False
        self.task = asyncio.create_task(self._live(delay))

    @property
    def steady_for(self) -> float:
        """Give the seconds since the subscription stood."""
        return 0.0 if self._proven_at is None else self._now() - self._proven_at

    def retire(self, overlap: float) -> None:
        """End in `overlap` seconds; whatever happens until then is no loss."""
        self.retired = True
        asyncio.get_running_loop().call_later(overlap, self.task.cancel)

    async def _live(self, delay: float) -> None:
        try:
            await asyncio.sleep(delay)
            self._report(self, Ended(await self._connected()))
        except Unreachable as error:
            self._report(self, Ended(str(error), error.retry_after))
        except IngestionError as error:
            self._report(self, error)

    async def _connected(self) -> str:
        socket = await self._transport.socket(self._plan.url)
        try:
            for frame in self._plan.venue.subscribe(self._plan.symbols):
                await socket.send(frame)
            return await self._watched(socket)
        finally:
            await socket.close()

    async def _watched(self, socket: Socket) -> str:
        self._opened = self._heard = self._now()
        pump = asyncio.create_task(socket.pump(self._take, self._alive))
        try:
            return await self._until_end(socket, pump)
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _until_end(self, socket: Socket, pump: asyncio.Task[str]) -> str:
        spoken = self._now()
        while True:
            await asyncio.wait({pump}, timeout=max(self._next_look(spoken) - self._now(), 0.0))
            if pump.done():
                return pump.result()
            if complaint := self._complaint():
                return complaint
            if (word := self._plan.venue.keep_alive()) and self._now() >= spoken + self._silence / 2:
                spoken = self._now()
                await socket.send(word)
            self._announce_limit()

    def _next_look(self, spoken: float) -> float:
        looks = [self._heard + self._silence]
        if self._proven_at is None:
            looks.append(self._opened + DEADLINE)
        if self._plan.venue.keep_alive():
            looks.append(spoken + self._silence / 2)
        if self._plan.life is not None and not self._leaving:
            looks.append(self._opened + self._plan.life)
        return min(looks)

    @property
    def _silence(self) -> float:
        return self._plan.venue.silence.total_seconds()

    def _complaint(self) -> str | None:
        if self._inbox.full:
            self._heard = self._now()
        if self._now() >= self._heard + self._silence:
            return f"{self._plan.venue.name} said nothing for {self._silence:g} s"
        if self._proven_at is None and self._now() >= self._opened + DEADLINE:
            return f"{self._plan.venue.name} did not acknowledge the subscription within {DEADLINE:g} s"
        return None

    def _announce_limit(self) -> None:
        life = self._plan.life
        if life is not None and not self._leaving and self._now() >= self._opened + life:
            self._leaving = True
            self._report(self, Leaving(LIMIT_NEAR))

    def _alive(self) -> None:
        self._heard = self._now()

    def _take(self, frame: bytes) -> Awaitable[None] | None:
        self._heard = self._now()
        reading = self._plan.venue.read(frame, self._plan.clock())
        if type(reading) is Traded and self._proven_at is not None:
            self._inbox.add(reading.trades)
        else:
            self._note(reading)
        return self._inbox.emptied() if self._inbox.full else None

    def _note(self, reading: Reading) -> None:
        if self._proven_at is None and isinstance(reading, Acknowledged | Anchored | Traded):
            self._proven_at = self._now()
            self._report(self, Proven())
        if isinstance(reading, Traded):
            self._inbox.add(reading.trades)
        elif not isinstance(reading, Acknowledged):
            self._report(self, reading)
