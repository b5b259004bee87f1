"""The work on the batches that a stream spilled for one hub: each is sent there, and marked by what became of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.destination import Sender
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.retrying import Backoff
from shared.clients.storage.spill import Spill, SpillLock
from shared.clients.storage.spill_encoding import decode, encode
from shared.domain.delivery import Event
from shared.domain.failures import FailureKind
from shared.domain.redriving import (
    LONGEST_DELAY,
    AfterDead,
    DeadKeys,
    Split,
    keys_of,
    split,
)
from shared.domain.spill import SpilledBatch, part_path, whole_path
from shared.errors import LoginRefused, SendFailed, SpoiltBatch

logger = logging.getLogger(__name__)

REDRIVE_FOR: Final = timedelta(minutes=2)
"""After so long no further batch is begun. A send may then take its whole deadline still; the rest of
`functionTimeout` is reserve."""

RENEW_SECONDS: Final = 20.0
"""Between renewals of the lock, which ends after 60 s."""

_AWAY: Final = Backoff(30.0, LONGEST_DELAY.total_seconds())
_SHORTEST_DELAY: Final = 30.0


@dataclass(frozen=True, slots=True)
class RedriveTools:
    """What redriving needs of the world.

    draw: gives a number from `[0, 1)`. drained: tells of a window of which no batch of a stream waits any more.
    """

    spill: Spill
    hubs: EventHubs
    clock: Callable[[], datetime]
    draw: Callable[[], float]
    after_dead: AfterDead
    drained: Callable[[str], Awaitable[object]]


@dataclass(slots=True)
class Redriver:
    """One call's work on one stream and hub. sender: connected once. refused: what the hub refused of one send.

    dead: the dead batches for which later events of their keys wait; unread: those of them whose keys are not known
    yet, in the order of their paths. held: one that waits for a dead one. settled: by window, the last batch of it that
    was marked.
    """

    tools: RedriveTools
    lock: SpillLock
    connections: AsyncExitStack
    settled: dict[str, SpilledBatch]
    unread: list[SpilledBatch]
    held: str = ""
    dead: list[DeadKeys] = field(default_factory=list)
    sender: Sender | None = None
    refused: list[tuple[Event, str]] = field(default_factory=list)
    rows: int = 0

    async def run(self, due: Sequence[SpilledBatch]) -> SpilledBatch | None:
        """Redrive batch by batch, until the hub is away, or time is up: then this gives the batch that is next."""
        until = self.tools.clock() + REDRIVE_FOR
        for batch in due:
            if self.tools.clock() >= until:
                return batch
            await telemetry.in_thread(self.lock.renew)
            try:
                await held(self.lock, self._redrive(batch))
            except SpoiltBatch as fault:
                await telemetry.in_thread(self._end_dead, batch, f"{fault}")
            except (SendFailed, LoginRefused) as failure:
                if failure.kind is not FailureKind.PERMANENT:
                    await telemetry.in_thread(self._wait, batch, failure)
                    return None
                await telemetry.in_thread(self._end_dead, batch, f"{failure}")
        await telemetry.in_thread(self.tools.spill.note_first, due[0].stream, due[0].hub, self.held)
        return None

    async def _redrive(self, batch: SpilledBatch) -> None:
        """Send one batch and mark it; raises SpoiltBatch, and SendFailed and LoginRefused as its hub does."""
        events = await telemetry.in_thread(_events, self.tools.spill, batch)
        while self.unread and whole_path(self.unread[0].path) < whole_path(batch.path):
            self.dead.append(await telemetry.in_thread(dead_keys, self.tools.spill, self.unread.pop(0)))
        parts = split(batch.path, events, self.dead)
        if parts.held and not parts.sendable:
            waiting = replace(batch, tries=0, waits_for=parts.waits_for, reason=_why(parts.waits_for))
            await telemetry.in_thread(self.tools.spill.mark, waiting)
            self.held = batch.path
            return
        self.refused.clear()
        sender = await self._sender(batch.hub)
        await sender.send(parts.sendable)
        await telemetry.in_thread(self._settle, batch, parts)

    async def _sender(self, hub: str) -> Sender:
        if self.sender is None:
            connection = self.tools.hubs.sender(hub, lambda event, reason: self.refused.append((event, reason)))
            self.sender = await self.connections.enter_async_context(connection)
        return self.sender

    def _settle(self, batch: SpilledBatch, parts: Split) -> None:
        """Split off what waits and what was refused, and mark the rest as redriven.

        In this order: where the function dies in between, the batch waits still, is sent again and split in the same
        way, and its parts are kept under the same paths.
        """
        refused = [event for event, _ in self.refused]
        if refused and len(refused) == batch.events:
            self._end_dead(batch, self.refused[0][1])
            return
        part = replace(batch, tries=0)
        if parts.held:
            waiting = replace(part, path=part_path(batch.path, "held"), waits_for=parts.waits_for)
            self._keep(replace(waiting, reason=_why(parts.waits_for)), parts.held)
            self.held = waiting.path
        if refused:
            dead = replace(part, path=part_path(batch.path, "refused"), state="dead", reason=self.refused[0][1])
            for kept in self._keep(replace(dead, waits_for=""), refused):
                self._end_dead(kept, kept.reason)
        rows = sum(event.rows for event in parts.sendable) - sum(event.rows for event in refused)
        events = len(parts.sendable) - len(refused)
        self._mark(replace(batch, state="redriven", rows=rows, events=events, reason="", waits_for=""))
        self.rows += rows

    def _keep(self, part: SpilledBatch, events: Sequence[Event]) -> list[SpilledBatch]:
        """Keep what is split off a batch; one that has its path and other events makes it the next number."""
        return [
            self.tools.spill.keep(
                replace(part, rows=one.rows, events=one.events, sha256=one.sha256),
                one.content,
            )
            for one in encode(events)
        ]

    def _end_dead(self, batch: SpilledBatch, reason: str) -> None:
        """Mark a batch as dead and tell of it; later events of its keys wait for it, where the setting says so."""
        dead = replace(batch, state="dead", reason=reason, waits_for="")
        telemetry.warning(logger, "spill.dead", window=batch.window_id, path=batch.path, rows=batch.rows, reason=reason)
        self._mark(dead)
        self.tools.spill.bury(dead)
        if self.tools.after_dead == "wait":
            self.dead.append(dead_keys(self.tools.spill, batch))

    def _mark(self, batch: SpilledBatch) -> None:
        self.tools.spill.mark(batch)
        self.settled[batch.window_id] = batch

    def _wait(self, batch: SpilledBatch, failure: SendFailed | LoginRefused) -> None:
        """Leave a batch waiting. First it is reminded of: where the function dies then, its own message comes again."""
        again = replace(batch, tries=batch.tries + 1, reason=f"{failure}")
        delay = self._delay(again.tries, failure)
        self.tools.spill.remind(again, delay)
        self.tools.spill.mark(again)
        self.tools.spill.note_first(batch.stream, batch.hub, batch.path)
        about = {"window": batch.window_id, "tries": again.tries, "again_in_s": round(delay.total_seconds())}
        if failure.kind is FailureKind.UNAUTHORIZED:
            telemetry.error(logger, "spill.login_refused", cause=failure, **about)
        else:
            telemetry.warning(logger, "spill.hub_away", cause=failure, **about)

    def _delay(self, tries: int, failure: SendFailed | LoginRefused) -> timedelta:
        """Grow with full jitter from 30 s, never below what the hub asks for; a login is not mended in seconds."""
        if isinstance(failure, LoginRefused) or failure.kind is FailureKind.UNAUTHORIZED:
            return LONGEST_DELAY
        seconds = max(_SHORTEST_DELAY, _AWAY.wait(tries, self.tools.draw()), failure.retry_after)
        return min(timedelta(seconds=seconds), LONGEST_DELAY)


async def held[Done](lock: SpillLock, work: Coroutine[object, object, Done]) -> Done:
    """Do some work, and renew the lock meanwhile; where that fails the work is given up, and Unavailable raised."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=RENEW_SECONDS))[0]:
            await telemetry.in_thread(lock.renew)
        return await task
    finally:
        task.cancel()
        await asyncio.wait({task})


def dead_keys(spill: Spill, batch: SpilledBatch) -> DeadKeys:
    """Say whose events a dead batch has; nobody knows where it can't be read."""
    try:
        return DeadKeys(batch.path, keys_of(_events(spill, batch)))
    except SpoiltBatch:
        return DeadKeys(batch.path, None)


def _events(spill: Spill, batch: SpilledBatch) -> Sequence[Event]:
    """Read a batch's events; raises SpoiltBatch where they are not those that were kept, or its blob is gone."""
    content = spill.read(batch.path)
    if content is None:
        raise SpoiltBatch("Its blob was deleted.")
    return decode(batch, content)


def _why(path: str) -> str:
    return f"It has keys of {path}, which is dead: it waits until that is redriven or discarded."
