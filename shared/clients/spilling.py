"""Keeps aside what a hub does not take, so that a slice need not wait for it: a sender around the sender to a hub."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from shared import telemetry
from shared.clients.destination import RestingSender
from shared.clients.storage.spill import Spill
from shared.clients.storage.spill_encoding import EncodedBatch, encode
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.domain.spill import SpilledBatch, batch_path, feed_of, next_path
from shared.errors import LoginRefused, SendFailed, Unavailable

logger = logging.getLogger(__name__)

_KEEP_SECONDS: Final = 20.0
_SLOW_SECONDS: Final = 1.0
_NOTHING: Final = Delivery()


@dataclass(slots=True)
class _Outage:
    """Why the hub is thought to be away, and what was kept since."""

    cause: SendFailed
    batches: int = 0
    rows: int = 0


@dataclass(slots=True)
class Spilling:
    """Sends to `hub`; what it does not take in time is kept as batches, from the path `next` on.

    Only what waiting would cure is kept: a busy hub, and one that does not answer. After the first batch nobody waits
    for long: while the sender leaves its hub alone, events are kept at once, and otherwise the hub is asked briefly;
    the first send that it takes brings all further ones back to it.
    """

    sender: RestingSender
    spill: Spill
    hub: str
    next: str
    clock: Callable[[], datetime]
    _outage: _Outage | None = field(default=None, init=False)
    _preparing: asyncio.Future[None] | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events, or keep those that the hub does not settle; both have all their records.

        Raises SendFailed where waiting would be no use, or the spill did not take them either: then it says why both
        failed, and `delivery` counts what was kept before. LoginRefused as the sender does.
        """
        outage = self._outage
        if outage and events and self.sender.rest:
            return await self.keep(events, outage.cause)
        preparing = asyncio.get_running_loop().call_later(_SLOW_SECONDS, self._prepare)
        try:
            delivery = await self.sender.send(events, briefly=outage is not None)
        except SendFailed as failure:
            if not failure.kind.may_pass or not failure.unsettled:
                raise
            return await self.keep(failure.unsettled, failure, failure.delivery)
        finally:
            preparing.cancel()
        if events:
            self._end()
        return delivery

    def leave(self) -> None:
        """Say what was kept where the hub is still away at the end."""
        if self._outage is not None:
            self._tell("spill.left", self._outage)

    def _prepare(self) -> None:
        """Get the spill ready while a send takes long, once at a time; where that fails, `keep` will say so."""

        def prepare() -> None:
            with contextlib.suppress(Unavailable, LoginRefused):
                self.spill.prepare()

        if self._preparing is None or self._preparing.done():
            self._preparing = asyncio.get_running_loop().run_in_executor(None, prepare)

    def _end(self) -> None:
        if self._outage is not None:
            self._tell("spill.ended", self._outage)
            self._outage = None

    async def keep(self, events: Sequence[Event], cause: SendFailed, delivered: Delivery = _NOTHING) -> Delivery:
        """Keep events in the place of a delivery that ended so; what may be stored is sent again, so it is spilled.

        Raises SendFailed, which says why both failed.
        """
        kept = 0
        outage = self._outage or _Outage(cause)
        async with self._turn:
            try:
                async with asyncio.timeout(_KEEP_SECONDS):
                    for encoded in await asyncio.to_thread(lambda: list(encode(events))):
                        batch = await asyncio.to_thread(self._write, encoded)
                        kept += batch.events
                        self._note(batch, outage)
            except (Unavailable, LoginRefused, TimeoutError) as failure:
                raise _both(cause, failure, delivered, events, kept) from failure
        return replace(delivered, unknown=0) + Delivery(spilled=_rows(events))

    def _write(self, encoded: EncodedBatch) -> SpilledBatch:
        batch = SpilledBatch(
            path=self.next,
            feed=feed_of(self.next),
            hub=self.hub,
            rows=encoded.rows,
            events=encoded.events,
            sha256=encoded.sha256,
            spilled_at=self.clock(),
        )
        return self.spill.keep(batch, encoded.content)

    def _note(self, batch: SpilledBatch, outage: _Outage) -> None:
        if self._outage is None:
            telemetry.warning(logger, "spill.began", hub=self.hub, path=batch.path, cause=outage.cause)
            self._outage = outage
        outage.batches += 1
        outage.rows += batch.rows
        self.next = next_path(batch.path)

    def _tell(self, event: str, outage: _Outage) -> None:
        telemetry.info(logger, event, hub=self.hub, batches=outage.batches, records=outage.rows)


@dataclass(frozen=True, slots=True)
class Aside:
    """Keeps all events at once, for that reason, and asks nobody whether they would be taken."""

    spilling: Spilling
    reason: str

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Keep the events; raises SendFailed where the spill does not take them."""
        return await self.spilling.keep(events, SendFailed(self.reason, kind=FailureKind.THROTTLED, unsettled=events))


@contextlib.asynccontextmanager
async def spilling(
    sender: RestingSender, spill: Spill, *, stream: str, hub: str, attempt_id: str, clock: Callable[[], datetime]
) -> AsyncIterator[Spilling]:
    """Put the spill around a sender for the length of a block, which is one try at a slice or closing."""
    around = Spilling(sender, spill, hub, batch_path(stream, attempt_id, 0), clock)
    try:
        yield around
    finally:
        around.leave()


def _both(cause: SendFailed, failure: Exception, delivered: Delivery, events: Sequence[Event], kept: int) -> SendFailed:
    """Make the failure of a send whose events the spill did not take either, but for the first `kept` of them."""
    left = events[kept:]
    spilled = _rows(events[:kept])
    reason = str(failure) or f"it did not take a batch within {_KEEP_SECONDS:.0f} s"
    return SendFailed(
        f"{cause}; they could not be spilled either: {reason}",
        replace(delivered, unknown=min(delivered.unknown, _rows(left))) + Delivery(spilled=spilled),
        kind=cause.kind,
        retry_after=cause.retry_after,
        unsettled=left,
    )


def _rows(events: Sequence[Event]) -> int:
    return sum(event.rows for event in events)
