"""Looking again at runs that nobody carries out any more, and at windows whose run was never begun."""

import logging
from collections.abc import Collection, Iterable
from datetime import datetime

from shared import telemetry
from shared.clients.durable.orchestrations import Orchestrations
from shared.domain.runs.run import (
    ABANDONED,
    KEPT,
    RunRow,
    carriers,
    instance_of,
    is_due_for_revival,
    is_read,
    may_start_until,
    next_number,
    number_of_wanted,
    real_end,
    takes_in,
)
from shared.domain.windows.ledger_row import WindowRow
from shared.errors import IngestionError
from shared.flows.announce import DRAINED
from shared.flows.enrich import EnrichmentTools, fail_run
from shared.flows.request_runs import start_enrichment_of
from shared.flows.window_signals import record_runs

logger = logging.getLogger(__name__)


async def revive_runs(tools: EnrichmentTools, orchestrations: Orchestrations) -> list[str]:
    """Start the orchestrations of runs that have none, end what can't be started any more; say what was done.

    The ledger has such runs where a host died between claim and start, where an orchestration failed or was purged, and
    where the event of an opening was lost. A feed that fails costs no other.
    """
    done: list[str] = []
    for feed in tools.jobs_of:
        try:
            done.extend(await _revive_feed(tools, orchestrations, feed))
        except IngestionError as error:
            telemetry.warning(logger, "runs.not_looked_at", feed=feed, cause=error)
    return done


async def _revive_feed(tools: EnrichmentTools, orchestrations: Orchestrations, feed: str) -> list[str]:
    now = tools.clock()
    runs = await telemetry.in_thread(tools.runs.of_feed, feed)
    quiet = [run for run in runs if is_due_for_revival(run, now)]
    done = [await _revive(tools, orchestrations, run) for run in quiet if not await _any_lives(orchestrations, run)]
    rows = await telemetry.in_thread(tools.ledger.windows, feed, since=now - max(2 * KEPT, tools.spill_kept))
    record_runs(feed, runs, rows, now, tools.drain_limit)
    for row in [row for row in rows if _is_owed_a_run(row, now)]:
        number = number_of_wanted(row.attempt, await telemetry.in_thread(tools.runs.of_window, row.window))
        if number is not None:
            done.extend(await _begin(orchestrations, row, number))
    return done or ([] if runs else await _catch_up(tools, orchestrations, rows))


async def _catch_up(tools: EnrichmentTools, orchestrations: Orchestrations, rows: Collection[WindowRow]) -> list[str]:
    """Start a run that reads what was redriven of a feed's windows, where none of its runs took that in.

    One run reads what was redriven of all of them; it is in the name of the first one.
    """
    for row in rows:
        drained = _drained(row, tools.clock())
        if drained is not None and not await telemetry.in_thread(_is_taken_in, tools, row, drained, rows):
            number = next_number(await telemetry.in_thread(tools.runs.of_window, row.window))
            await start_enrichment_of(orchestrations, row.window.id, number, "catch_up")
            return [f"The spill of window {row.window.id} was drained after its run; another one was started."]
    return []


def _drained(row: WindowRow, now: datetime) -> datetime | None:
    """Give when a window's spill was drained, where that is long enough ago that a run may have taken it in.

    Not of a window that runs have nothing to read of.
    """
    noted = row.announced.get(DRAINED) if is_read(row) else None
    drained = datetime.fromisoformat(noted) if noted else None
    return drained if drained is not None and ABANDONED <= now - drained < KEPT else None


def _is_taken_in(tools: EnrichmentTools, row: WindowRow, drained: datetime, rows: Collection[WindowRow]) -> bool:
    """Look through the window's own runs, then those of others from the newest on, as far as it takes.

    Of old windows only those matter that were drained, too: a run that takes all in is in the name of one of them.
    """
    recent = tools.clock() - 2 * KEPT
    looked_at = [row, *(one for one in reversed(list(rows)) if one.window.start >= recent or DRAINED in one.announced)]
    return any(takes_in(run, row.window, drained) for one in looked_at for run in tools.runs.of_window(one.window))


async def _any_lives(orchestrations: Orchestrations, run: RunRow) -> bool:
    return any([await orchestrations.standing(carrier) == "alive" for carrier in carriers(run)])


async def _revive(tools: EnrichmentTools, orchestrations: Orchestrations, run: RunRow) -> str:
    """Carry a run on, under its own number: each of its steps finds what was done; one that never began may be late."""
    if not run.run_id and tools.clock() >= may_start_until(run):
        reason = f"It was not started by {may_start_until(run).isoformat(timespec='minutes')}; now it is too late."
        await telemetry.in_thread(fail_run, tools, run.window.id, run.number, reason)
        return f"Run {run.number} of window {run.window.id} was ended as failed: {reason}"
    await start_enrichment_of(orchestrations, run.window.id, run.number, run.mode)
    telemetry.warning(logger, "run.revived", window=run.window.id, number=run.number)
    return f"Run {run.number} of window {run.window.id} had no orchestration that lives; it was started again."


def _is_owed_a_run(row: WindowRow, now: datetime) -> bool:
    """Say whether a window's opening was published so long ago that its run must have been claimed."""
    opened = row.announced.get("opened")
    is_late = opened is not None and now - datetime.fromisoformat(opened) >= ABANDONED
    return is_late and is_read(row) and now < real_end(row) + KEPT


async def _begin(orchestrations: Orchestrations, row: WindowRow, number: int) -> Iterable[str]:
    if await orchestrations.standing(instance_of(row.window.id, number)) == "alive":
        return []
    await start_enrichment_of(orchestrations, row.window.id, number)
    telemetry.warning(logger, "run.begun_late", window=row.window.id)
    return [f"Window {row.window.id} had no run though its opening was published; one was started."]
