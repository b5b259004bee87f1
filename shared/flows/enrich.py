"""Enriching a window: claim a run, write its lookups, wait for its turn, start it on Databricks, follow it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared import telemetry
from shared.clients.databricks_jobs.jobs import Jobs
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.storage.runs import RunLedger
from shared.clients.storage.windows import Ledger, known_window
from shared.domain.runs.job_state import JobRun, describe, has_ended
from shared.domain.runs.run import (
    RunMode,
    RunRow,
    drain_limit_of,
    in_the_way,
    is_read,
    may_be_tried_again,
    may_start_until,
    must_make_room,
    number_of_wanted,
    outcome_of,
    parameters_of,
)
from shared.domain.steps import readable
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan
from shared.errors import CorruptRow, JobRefused, LoginRefused, SendFailed
from shared.flows.lookups import LookupTools, provide
from shared.signals.metrics import RUN_DURATION
from shared.signals.recording import record, record_span

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Which job enriches a feed, and which lookups it joins."""

    name: str
    lookups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnrichmentTools:
    """What enriching needs of the world; `jobs_of` has the feeds that are enriched.

    spill_kept: how far back windows may lie whose spill is redriven now.
    """

    ledger: Ledger
    runs: RunLedger
    jobs: Jobs
    hubs: EventHubs
    lookups: LookupTools
    clock: Callable[[], datetime]
    jobs_of: Mapping[str, Job]
    drain_limit: timedelta
    spill_kept: timedelta


def wanted(tools: EnrichmentTools, window_id: str | None) -> int | None:
    """Give the number of the run that an opening's event must start; None where the window's attempt has one already.

    None, too, where the window is not in the ledger, or is not enriched.
    """
    row = known_window(tools.ledger, window_id)
    if row is None or not _is_enriched(tools, row):
        return None
    return number_of_wanted(row.attempt, tools.runs.of_window(row.window))


def claim_run(tools: EnrichmentTools, window_id: str, number: int, mode: RunMode) -> dict[str, Any]:
    """Claim the run of that number; `proceed` is false where it has ended, or the window is not enriched.

    `until` is when it makes no sense any more to start it.
    """
    row = known_window(tools.ledger, window_id)
    if row is None or not _is_enriched(tools, row):
        return {"proceed": False}
    now = tools.clock()
    tools.runs.claim(RunRow(row.window, number, mode, "claimed", now, now, attempt=row.attempt))
    run = tools.runs.change(row.window, number, lambda _: None)
    if run is None or run.ended:
        return {"proceed": False}
    return {"proceed": True, "until": may_start_until(run).isoformat()}


def prepare_lookups(tools: EnrichmentTools, window_id: str, number: int) -> dict[str, Any]:
    """Write each lookup of the window, or of its day, once; where one can't be made, use its newest good one.

    The run says so then. A window that wants none gets none. Raises JobRefused where there is no lookup at all.
    """
    row = _existing(tools, window_id)
    provided = {name: provide(tools.lookups, name, row.window) for name in tools.jobs_of[row.window.feed].lookups}
    paths = {name: path for name, (path, _) in provided.items()}
    note = " ".join(why for _, why in provided.values() if why)
    _change(tools, row, number, lookups=paths, lookup_note=note)
    return {"lookups": paths, "note": note}


def start_run(tools: EnrichmentTools, window_id: str, number: int) -> dict[str, Any]:
    """Start the run on Databricks, once no other run of its feed is in the way; else say whose window it waits for.

    Its token makes a repeat find the same run. Raises JobRefused, LoginRefused and Unavailable.
    """
    row = _existing(tools, window_id)
    _change(tools, row, number)  # a sign of life, by which later runs know that this one still waits
    run = _run(tools, row, number)
    if run.run_id:
        return {"started": True}
    if awaited := _awaited(tools, row, run):
        _change(tools, row, number, message=f"Waits for the run of window {awaited}: a feed has one run at a time.")
        return {"started": False, "pending": True, "waits_for": awaited}
    run_id = _submit(tools, row, run)
    _change(tools, row, number, run_id=run_id, state="active", message="")
    telemetry.info(logger, "run.started", window=window_id, run=run_id, number=number)
    return {"started": True}


def follow_run(tools: EnrichmentTools, window_id: str, number: int) -> dict[str, Any]:
    """Ask how the run stands and write it down: `ended`, and whether another try may help."""
    row = _existing(tools, window_id)
    job_run = tools.jobs.run(_run(tools, row, number).run_id)
    # Read after Databricks was asked: who cancels a run says so in its row first.
    run = _run(tools, row, number)
    state = outcome_of(job_run, superseding=run.superseding)
    _stand(tools, row, run, state=state, page_url=job_run.page_url, message=describe(job_run))
    again = state == "failed" and may_be_tried_again(job_run, number)
    return {"ended": state != "active", "pending": state == "active", "state": state, "again": again}


def fail_run(tools: EnrichmentTools, window_id: str, number: int, reason: str) -> dict[str, Any]:
    """Write that a run could not be started or followed, and why."""
    row = _existing(tools, window_id)
    _stand(tools, row, _run(tools, row, number), state="failed", message=readable(reason))
    telemetry.warning(logger, "run.failed", window=window_id, number=number, reason=reason)
    return {"ended": True, "state": "failed", "again": False}


def _stand(tools: EnrichmentTools, row: WindowRow, run: RunRow, **changes: Any) -> None:  # noqa: ANN401 - any column
    """Write how a run stands, and record it where it ended by that."""
    _change(tools, row, run.number, **changes)
    _record(tools, run, replace(run, **changes))


def _record(tools: EnrichmentTools, before: RunRow, run: RunRow) -> None:
    """Record that a run ended, where it had not before; one that is asked again is the same end."""
    if before.ended or not run.ended:
        return
    now, window = tools.clock(), run.window
    failure = run.message if run.state == "failed" else ""
    about = {"run": run.run_id or None, "url": run.page_url or None, "number": run.number, "state": run.state}
    record(RUN_DURATION, (now - run.claimed_at).total_seconds(), feed=window.feed, state=run.state)
    record_span("run", window.id, run.claimed_at, now, failure=failure, attempt=run.attempt, **about)


def _is_enriched(tools: EnrichmentTools, row: WindowRow) -> bool:
    return row.window.feed in tools.jobs_of and is_read(row)


def _awaited(tools: EnrichmentTools, row: WindowRow, run: RunRow) -> str:
    """Name the window whose run this one waits for, none where its turn has come; what is overdue is asked to end.

    A run's own orchestration may look at it rarely, so Databricks itself is asked whether it has ended.
    """
    others = in_the_way(run, tools.runs.of_feed(run.window.feed), tools.clock())
    stands = {other.run_id: _standing(tools, other) for other in others if other.run_id}
    awaited = [other for other in others if not other.run_id or not has_ended(stands[other.run_id])]
    for other in awaited:
        if other.run_id and _is_overdue(tools, other, stands[other.run_id], row):
            _supersede(tools, other, row)
    return awaited[0].window.id if awaited else ""


def _standing(tools: EnrichmentTools, other: RunRow) -> JobRun:
    """Ask how a run stands; one that Databricks does not know any more is over, and what is not answered goes on."""
    try:
        return tools.jobs.run(other.run_id)
    except (JobRefused, LoginRefused) as refusal:
        telemetry.warning(logger, "run.not_seen", window=other.window.id, run=other.run_id, cause=refusal)
        return JobRun(other.run_id, "INTERNAL_ERROR" if isinstance(refusal, JobRefused) else "")


def _is_overdue(tools: EnrichmentTools, other: RunRow, stands: JobRun, newest: WindowRow) -> bool:
    window = tools.ledger.window(other.window.id)
    return must_make_room(other, stands, window, newest.window, tools.clock(), tools.drain_limit)


def _supersede(tools: EnrichmentTools, run: RunRow, newest: WindowRow) -> None:
    """Ask for a run's end; that this is refused must not end the newer run, which is not at fault."""
    tools.runs.change(run.window, run.number, lambda row: replace(row, superseding=True))
    try:
        tools.jobs.cancel(run.run_id)
    except (JobRefused, LoginRefused) as refusal:
        telemetry.warning(logger, "run.not_superseded", window=run.window.id, run=run.run_id, cause=refusal)
        return
    telemetry.warning(logger, "run.superseded", window=run.window.id, run=run.run_id, by=newest.window.id)


def _submit(tools: EnrichmentTools, row: WindowRow, run: RunRow) -> int:
    plan = Plan.from_wire(dict(row.plan))
    job_id = tools.jobs.find(tools.jobs_of[row.window.feed].name)
    times = {"grace": plan.grace, "drain_limit": drain_limit_of(run, tools.drain_limit)}
    hubs_made = asyncio.run(_hubs_made(tools.hubs, {hub for stream in plan.of_hubs for hub in stream.hubs}))
    return tools.jobs.run_now(job_id, run.instance_id, parameters_of(run, plan.of_hubs, times, hubs_made))


async def _hubs_made(hubs: EventHubs, names: Iterable[str]) -> dict[str, str]:
    """Ask each hub when it was made; what can't be asked now is left out, and the run goes on without."""
    asked = sorted(names)
    answers = await asyncio.gather(*(_made(hubs, name) for name in asked))
    return {name: made for name, made in zip(asked, answers, strict=True) if made}


async def _made(hubs: EventHubs, name: str) -> str:
    try:
        return (await hubs.properties(name)).created_at.isoformat()
    except (SendFailed, LoginRefused) as failure:
        telemetry.warning(logger, "hub.not_asked", hub=name, cause=failure)
        return ""


def _existing(tools: EnrichmentTools, window_id: str) -> WindowRow:
    row = tools.ledger.window(window_id)
    if row is None:
        raise CorruptRow(f"Window {window_id} is not in the ledger, but a run of it is.")
    return row


def _run(tools: EnrichmentTools, row: WindowRow, number: int) -> RunRow:
    run = tools.runs.change(row.window, number, lambda _: None)
    if run is None:
        raise CorruptRow(f"Run {number} of window {row.window.id} is not in the ledger.")
    return run


def _change(tools: EnrichmentTools, row: WindowRow, number: int, **changes: Any) -> None:  # noqa: ANN401 - any column
    now = tools.clock()
    tools.runs.change(row.window, number, lambda run: None if run.ended else replace(run, updated_at=now, **changes))
