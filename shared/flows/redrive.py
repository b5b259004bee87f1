"""Redriving: what waits in the spill is sent to its hub, in order, and marked by what became of it."""

import json
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Final

from shared import telemetry
from shared.clients.storage.spill import SpillLock
from shared.domain.failures import FailureKind
from shared.domain.redriving import LONGEST_DELAY, due_batches, is_due, is_left_to_reminder, of_hub
from shared.domain.spill import UNSETTLED, SpilledBatch, SpillMessage, SpillState, feed_of, read_message
from shared.errors import IngestionError, LoginRefused, Unavailable
from shared.flows.redriver import Redriver, RedriveTools

logger = logging.getLogger(__name__)

_WAITING: Final[tuple[SpillState]] = ("waiting",)
_LOCKED: Final = timedelta(minutes=1)
_UNTOLD: Final = timedelta(minutes=1)


async def redrive(tools: RedriveTools, body: bytes) -> None:
    """Redrive what a stream has for the hub of the batch that a message of the queue names, for two minutes at most.

    What is left then, or waits because its hub is away, is named by a new message. Only where storage is away this
    raises, Unavailable or LoginRefused: then the message itself comes again. Windows that are drained are told of
    however it ends; where the function is killed before, housekeeping does that.
    """
    message = _read(body)
    if message is None:
        return
    settled: dict[str, SpilledBatch] = {}
    with telemetry.about(stream=message.path.partition("/")[0]):
        try:
            await _carry_out(tools, message, settled)
        finally:
            await _tell_drained(tools, list(settled.values()), message.tellings)


def _read(body: bytes) -> SpillMessage | None:
    """Read a message; one that names no batch is dropped, since housekeeping finds the batch itself."""
    try:
        return read_message(json.loads(body))
    except (ValueError, RecursionError) as fault:
        telemetry.error(logger, "spill.message_unreadable", cause=fault, size=len(body))
        return None


async def _carry_out(tools: RedriveTools, message: SpillMessage, settled: dict[str, SpilledBatch]) -> None:
    """Do what a message asks for. settled: gets one batch of each window that may be drained now."""
    batch = await telemetry.in_thread(tools.spill.batch, message.path)
    if batch is None or (message.tellings and batch.state != "waiting"):
        ended = batch or _missing(tools, message)
        settled[ended.window_id] = ended
        if not message.tellings:
            await telemetry.in_thread(_bury_missing, tools, ended)
        return
    following = None
    with tools.spill.lock(batch.stream) as lock:
        if lock is not None:
            following = await _redrive_stream(tools, lock, message, batch, settled)
        elif batch.state == "waiting":
            await telemetry.in_thread(_put_off, tools, batch, message)
    if following is not None:
        # Not before: whoever gets this message finds the lock free.
        await telemetry.in_thread(tools.spill.remind, following)


def _missing(tools: RedriveTools, message: SpillMessage) -> SpilledBatch:
    reason = (
        "Its blob is gone, so it can't be sent. Either it was taken back when the queue did not answer, and its slice "
        "sends the records again; or somebody deleted it."
    )
    feed = feed_of(message.path)
    return SpilledBatch(message.path, feed, "", message.rows, 0, "", tools.clock(), state="dead", reason=reason)


def _bury_missing(tools: RedriveTools, gone: SpilledBatch) -> None:
    """Tell of a batch whose blob is gone: nobody can send its records any more."""
    telemetry.warning(logger, "spill.batch_missing", path=gone.path, rows=gone.rows, reason=gone.reason)
    tools.spill.bury(gone)


def _put_off(tools: RedriveTools, batch: SpilledBatch, message: SpillMessage) -> None:
    """Bring the message again when the other redriver may be done, as it is: out of date it must stay so."""
    tools.spill.remind(replace(batch, tries=message.tries), _LOCKED * (1 + tools.draw()))


async def _redrive_stream(
    tools: RedriveTools, lock: SpillLock, message: SpillMessage, batch: SpilledBatch, settled: dict[str, SpilledBatch]
) -> SpilledBatch | None:
    """Redrive what is due of a stream and the batch's hub; gives the batch that is next where time was up."""
    if await telemetry.in_thread(_has_nothing_to_do, tools, message, batch):
        return None
    batches = of_hub(await telemetry.in_thread(tools.spill.batches, f"{batch.stream}/", UNSETTLED), batch.hub)
    due = due_batches(batches, tools.after_dead)
    sent = {one.path for one in due}
    held = next((one.path for one in batches if one.state == "waiting" and one.path not in sent), "")
    await telemetry.in_thread(tools.spill.note_first, batch.stream, batch.hub, due[0].path if due else held)
    if not due or not is_due(message, due[0]):
        return None
    unread = [one for one in batches if one.state == "dead"] if tools.after_dead == "wait" else []
    async with AsyncExitStack() as connections:
        redriver = Redriver(tools, lock, connections, settled, unread, held)
        following = await redriver.run(due)
    telemetry.info(logger, "spill.redriven", rows=redriver.rows, waiting=len(due))
    return following


def _has_nothing_to_do(tools: RedriveTools, message: SpillMessage, batch: SpilledBatch) -> bool:
    """Say so by what is noted of a message's stream, without listing it: for most messages that is enough.

    The note is written by who has the lock: before it redrives, when the hub is away, and when all is done. Where it is
    out of date, because a redriver was killed, the batch that it names has another state, and the stream is listed.
    """
    noted = tools.spill.noted_first(batch.stream, batch.hub)
    if not noted:
        return noted == "" and batch.state != "waiting"
    first = tools.spill.batch(noted)
    return first is not None and is_left_to_reminder(message, batch, first)


async def _tell_drained(tools: RedriveTools, settled: Sequence[SpilledBatch], tellings: int) -> None:
    """Tell of each window of these batches that is drained; from a failure on that may pass, messages do that later."""
    for place, batch in enumerate(settled):
        try:
            await _tell(tools, batch)
        except IngestionError as failure:
            telemetry.warning(logger, "spill.not_told", window=batch.window_id, cause=failure)
            if failure.kind is not FailureKind.PERMANENT:
                await telemetry.in_thread(_tell_later, tools, settled[place:], tellings)
                return
        except Exception as fault:  # noqa: BLE001 - a fault in telling must not keep what was redriven from being so
            telemetry.error(logger, "spill.not_told", cause=fault, window=batch.window_id)


async def _tell(tools: RedriveTools, batch: SpilledBatch) -> None:
    window = f"{batch.stream}/{batch.window_id}/"
    if not await telemetry.in_thread(tools.spill.batches, window, _WAITING):
        await tools.drained(batch.window_id)


def _tell_later(tools: RedriveTools, settled: Sequence[SpilledBatch], tellings: int) -> None:
    """Write a message for each window, with a growing delay; where none can be written, housekeeping tells."""
    delay = min(_UNTOLD * 2 ** min(tellings, 10), LONGEST_DELAY)
    try:
        for batch in settled:
            tools.spill.remind(batch, delay, tellings + 1)
    except (Unavailable, LoginRefused) as failure:
        telemetry.warning(logger, "spill.not_told", window=settled[0].window_id, cause=failure)
