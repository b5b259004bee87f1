"""One connection to a venue as a task: handshake, subscription, frames, signs of life, until it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from shared.domain.failures import FailureKind
from shared.errors import Unavailable
from shared.trades.connection.limiter import RequestLimiter
from shared.trades.connection.transport import DEADLINE, Socket, Transport
from shared.trades.venues.readings import Acknowledged, FeedEvent, Leaving, Reading, Snapshot, Traded
from shared.trades.venues.venue import Venue

LIMIT_NEAR: Final = "the connection limit is near"
_MARGIN: Final = timedelta(minutes=10)


class Listener(Protocol):
    """Receives what happens in a venue's markets, and may hold up the reading of more."""

    @property
    def is_full(self) -> bool:
        """Whether no more is to be read from the venue for now."""

    def take(self, event: FeedEvent) -> None:
        """Take one event in; also when full, for then one is still on its way."""

    async def room(self) -> None:
        """Wait until more may be read."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What every connection of one session has in common; `limit` is how long the venue keeps a connection.

    clock: microseconds since the Unix epoch. limiter: says how long the venue must not be asked at all.
    """

    venue: Venue
    url: str
    symbols: tuple[str, ...]
    limit: timedelta | None
    clock: Callable[[], int]
    limiter: RequestLimiter

    @property
    def life(self) -> float | None:
        """Give the seconds after which another connection takes over: 10 minutes, or a quarter, before the limit."""
        return None if self.limit is None else (self.limit - min(_MARGIN, self.limit / 4)).total_seconds()


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The subscription to these symbols stands: the venue acknowledged it, or sent a trade.

    complete: no more of them are to be expected.
    """

    symbols: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection ended, or could not be made; `retry_after` is the wait in seconds that the venue asked for."""

    reason: str
    retry_after: float = 0.0
    throttled: bool = False


Report = Callable[["VenueConnection", Reading | Subscribed | Ended], None]


class VenueConnection:
    """One connection, from its handshake to its end; trades go to the listener, all else to the session.

    subscribed: the symbols whose subscription stands.

    While the listener is full nothing is read: the venue's frames then wait in the network, and TCP slows the venue
    down. A venue that is not read for long closes the connection; that is an interruption as any other, and what was
    missed is got from the history.
    """

    def __init__(
        self, subscription: Subscription, transport: Transport, *, listener: Listener, report: Report, delay: float
    ) -> None:
        self._subscription = subscription
        self._transport = transport
        self._listener = listener
        self._report = report
        self._now = asyncio.get_running_loop().time
        self._heard = self._opened = 0.0
        self._subscribed_at: float | None = None
        self._is_held_up = self._is_leaving = self._is_settled = False
        self._awaited = dict.fromkeys(subscription.symbols)
        self.subscribed: tuple[str, ...] = ()
        self.retired = False
        self.task = asyncio.create_task(self._live(delay))

    @property
    def steady_for(self) -> float:
        """Give the seconds since the subscription stood."""
        return 0.0 if self._subscribed_at is None else self._now() - self._subscribed_at

    def expect_no_more_of(self, symbols: Iterable[str]) -> None:
        """Await no acknowledgement of symbols that the venue refused."""
        for symbol in symbols:
            self._awaited.pop(symbol, None)

    def retire(self, overlap: float) -> None:
        """End in `overlap` seconds; whatever happens until then is no loss."""
        self.retired = True
        asyncio.get_running_loop().call_later(overlap, self.task.cancel)

    async def _live(self, delay: float) -> None:
        try:
            await asyncio.sleep(delay)
            await self._subscription.limiter.opened()
            self._report(self, Ended(await self._connected()))
        except Unavailable as error:
            self._report(self, Ended(str(error), error.retry_after, error.kind is FailureKind.THROTTLED))

    async def _connected(self) -> str:
        socket = await self._transport.socket(self._subscription.url)
        try:
            for frame in self._subscription.venue.subscribe(self._subscription.symbols):
                await socket.send(frame)
            return await self._watched(socket)
        finally:
            await socket.close()

    async def _watched(self, socket: Socket) -> str:
        self._opened = self._heard = self._now()
        reading = asyncio.create_task(socket.read(self._on_frame, self._on_sign_of_life))
        try:
            return await self._until_end(socket, reading)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _until_end(self, socket: Socket, reading: asyncio.Task[str]) -> str:
        kept_alive_at = self._now()
        while True:
            await asyncio.wait({reading}, timeout=max(self._next_look(kept_alive_at) - self._now(), 0.0))
            if reading.done():
                return reading.result()
            if complaint := self._complaint():
                return complaint
            if (frame := self._subscription.venue.keep_alive()) and self._now() >= kept_alive_at + self._silence / 2:
                kept_alive_at = self._now()
                await socket.send(frame)
            self._settle()
            self._announce_limit()

    def _next_look(self, kept_alive_at: float) -> float:
        looks = [self._heard + self._silence]
        if self._awaited and not self._is_settled:
            looks.append(self._opened + DEADLINE)
        if self._subscription.venue.keep_alive():
            looks.append(kept_alive_at + self._silence / 2)
        if self._subscription.life is not None and not self._is_leaving:
            looks.append(self._opened + self._subscription.life)
        return min(looks)

    @property
    def _silence(self) -> float:
        return self._subscription.venue.silence.total_seconds()

    def _complaint(self) -> str | None:
        if self._is_held_up:
            self._heard = self._now()
        venue = self._subscription.venue.name
        if self._now() >= self._heard + self._silence:
            return f"{venue} said nothing for {self._silence:g} s"
        if self._subscribed_at is None and self._now() >= self._opened + DEADLINE:
            return f"{venue} did not acknowledge the subscription within {DEADLINE:g} s"
        return None

    def _settle(self) -> None:
        """Await no longer what was not acknowledged: those symbols are not listened to."""
        if self._awaited and not self._is_settled and self._now() >= self._opened + DEADLINE:
            self._is_settled = True
            self._report(self, Subscribed((), complete=True))

    def _announce_limit(self) -> None:
        life = self._subscription.life
        if life is not None and not self._is_leaving and self._now() >= self._opened + life:
            self._is_leaving = True
            self._report(self, Leaving(LIMIT_NEAR))

    def _on_sign_of_life(self) -> None:
        self._heard = self._now()

    def _on_frame(self, frame: bytes) -> Awaitable[None] | None:
        self._heard = self._now()
        reading = self._subscription.venue.read(frame, self._subscription.clock())
        if type(reading) is Traded and not self._awaited:
            self._listener.take(reading)
        else:
            self._note(reading)
        return self._room() if self._listener.is_full else None

    async def _room(self) -> None:
        self._is_held_up = True
        await self._listener.room()
        self._is_held_up = False
        self._heard = self._now()

    def _note(self, reading: Reading) -> None:
        if proven := [symbol for symbol in self._proven(reading) if symbol in self._awaited]:
            self._subscribed_at = self._subscribed_at or self._now()
            self.expect_no_more_of(proven)
            self.subscribed += tuple(proven)
            self._report(self, Subscribed(tuple(proven), complete=not self._awaited))
        if isinstance(reading, Traded):
            self._listener.take(reading)
        elif not isinstance(reading, Acknowledged):
            self._report(self, reading)

    def _proven(self, reading: Reading) -> Iterable[str]:
        """Give the symbols whose subscription a reading proves."""
        match reading:
            case Acknowledged(symbols):
                return self._subscription.symbols if symbols is None else symbols
            case Snapshot(market):
                return (market.partition(":")[2],)
            case Traded(trades):
                return dict.fromkeys(trade.symbol for trade in trades)
        return ()
