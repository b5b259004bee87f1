"""Redriving: what waits in the spill is sent to its hub, in order, and marked by what became of it."""

import json
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Final

from shared import telemetry
from shared.clients.storage.spill import SpillLock
from shared.domain.failures import FailureKind
from shared.domain.redriving import due_batches, is_due
from shared.domain.spill import SpilledBatch, SpillMessage, SpillState, feed_of, read_message
from shared.errors import IngestionError
from shared.flows.redriver import Redriver, RedriveTools, dead_keys

logger = logging.getLogger(__name__)

_WAITING: Final[tuple[SpillState]] = ("waiting",)
_LOCKED: Final = timedelta(minutes=1)
_UNTOLD: Final = timedelta(minutes=1)


async def redrive(tools: RedriveTools, body: bytes) -> None:
    """Redrive the stream whose batch a message of the queue names, for two minutes at the most.

    What is left then, or waits because its hub is away, is named by a new message. Only where storage is away this
    raises, Unavailable or LoginRefused: then the message itself comes again.
    """
    message = _read(body)
    if message is None:
        return
    batch = await telemetry.in_thread(tools.spill.batch, message.path)
    if batch is None:
        await telemetry.in_thread(_bury_missing, tools, message)
        return
    with telemetry.about(stream=batch.stream), tools.spill.lock(batch.stream) as lock:
        if lock is None and batch.state == "waiting":
            await telemetry.in_thread(_put_off, tools, batch, message)
            return
        settled = await _redrive_stream(tools, lock, message, batch.stream) if lock else {}
        await _tell_drained(tools, batch.stream, {batch.window_id: batch} | settled)


def _read(body: bytes) -> SpillMessage | None:
    """Read a message; one that names no batch is dropped, since housekeeping finds the batch itself."""
    try:
        return read_message(json.loads(body))
    except (ValueError, RecursionError) as fault:
        telemetry.error(logger, "spill.message_unreadable", cause=fault, size=len(body))
        return None


def _bury_missing(tools: RedriveTools, message: SpillMessage) -> None:
    """Tell of a batch whose blob is gone: nobody can send its records any more."""
    reason = "Its blob is gone, so it can't be sent; somebody deleted it."
    telemetry.warning(logger, "spill.batch_missing", path=message.path, rows=message.rows, reason=reason)
    gone = SpilledBatch(
        message.path, feed_of(message.path), "", message.rows, 0, "", tools.clock(), state="dead", reason=reason
    )
    tools.spill.bury(gone)


def _put_off(tools: RedriveTools, batch: SpilledBatch, message: SpillMessage) -> None:
    """Bring the message again when the other redriver may be done, as it is: out of date it must stay so."""
    tools.spill.remind(replace(batch, tries=message.tries), _LOCKED * (1 + tools.draw()))


async def _redrive_stream(
    tools: RedriveTools, lock: SpillLock, message: SpillMessage, stream: str
) -> dict[str, SpilledBatch]:
    """Redrive what is due of a stream; gives one batch of each window that something was settled of."""
    batches = await telemetry.in_thread(tools.spill.batches, f"{stream}/", ("waiting", "dead"))
    due = due_batches(batches, tools.after_dead)
    if not due or not is_due(message, due[0]):
        return {}
    ends = [batch for batch in batches if batch.state == "dead"] if tools.after_dead == "wait" else []
    dead = await telemetry.in_thread(lambda: [dead_keys(tools.spill, batch) for batch in ends])
    async with AsyncExitStack() as connections:
        redriver = Redriver(tools, lock, connections, dead)
        await redriver.run(due)
    telemetry.info(logger, "spill.redriven", rows=redriver.rows, waiting=len(due))
    return redriver.settled


async def _tell_drained(tools: RedriveTools, stream: str, settled: Mapping[str, SpilledBatch]) -> None:
    """Tell of each window that is drained; where that fails in passing, its batch's message comes again for it."""
    left = await telemetry.in_thread(tools.spill.batches, f"{stream}/", _WAITING)
    for window_id in settled.keys() - {batch.window_id for batch in left}:
        try:
            await tools.drained(window_id)
        except IngestionError as failure:
            telemetry.warning(logger, "spill.not_told", window=window_id, cause=failure)
            if failure.kind is not FailureKind.PERMANENT:
                await telemetry.in_thread(tools.spill.remind, settled[window_id], _UNTOLD)
