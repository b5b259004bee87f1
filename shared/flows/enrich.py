"""Enriching a window: claim a run, write its lookup, start it on Databricks, make room for it, follow it to its end."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared import telemetry
from shared.clients.coincap.assets import Assets
from shared.clients.databricks_jobs.jobs import Jobs
from shared.clients.storage.reference import Reference
from shared.clients.storage.runs import RunLedger
from shared.clients.storage.windows import Ledger, known_window
from shared.domain.runs.job_state import describe
from shared.domain.runs.run import (
    RunMode,
    RunRow,
    drain_limit_of,
    may_be_tried_again,
    outcome_of,
    overdue,
    parameters_of,
)
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan
from shared.errors import CorruptRow, FeedRefused, IngestionError, JobRefused, LoginRefused, Unavailable
from shared.feeds.assets import parquet, prepare

logger = logging.getLogger(__name__)

LOOKUP_SECONDS = 20.0
LOOKUP_KEPT = timedelta(days=7)
ASSETS = "assets"
_LOOKUPS = f"{ASSETS}/"


@dataclass(frozen=True, slots=True)
class Job:
    """Which job enriches a feed, and which lookups it joins."""

    name: str
    lookups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnrichmentTools:
    """What enriching needs of the world; `jobs_of` has the feeds that are enriched."""

    ledger: Ledger
    runs: RunLedger
    jobs: Jobs
    reference: Reference
    assets: Assets | None
    clock: Callable[[], datetime]
    jobs_of: Mapping[str, Job]
    drain_limit: timedelta


def wanted(tools: EnrichmentTools, window_id: str | None) -> bool:
    """Say whether an opening's event must start a run: the window is in the ledger, and has none yet."""
    row = known_window(tools.ledger, window_id)
    return row is not None and row.window.feed in tools.jobs_of and not tools.runs.of_window(row.window)


def claim_run(tools: EnrichmentTools, window_id: str, number: int, mode: RunMode) -> dict[str, Any]:
    """Claim the run of that number; `proceed` is false where it has ended, or the window is not enriched."""
    row = known_window(tools.ledger, window_id)
    if row is None or row.window.feed not in tools.jobs_of:
        return {"proceed": False}
    now = tools.clock()
    tools.runs.claim(RunRow(row.window, number, mode, "claimed", now, now))
    run = tools.runs.change(row.window, number, lambda _: None)
    return {"proceed": run is not None and not run.ended}


def prepare_lookup(tools: EnrichmentTools, window_id: str, number: int) -> dict[str, Any]:
    """Write the window's lookup once; where that fails in its 20 s, use the newest good one and say so in the run.

    A window that wants none gets none. Raises JobRefused where there is no lookup at all.
    """
    row = _existing(tools, window_id)
    if ASSETS not in tools.jobs_of[row.window.feed].lookups:
        return {"lookup": ""}
    path, note = _lookup(tools, window_id)
    _change(tools, row, number, lookup=path, lookup_note=note)
    return {"lookup": path, "note": note}


def start_run(tools: EnrichmentTools, window_id: str, number: int) -> dict[str, Any]:
    """Start the run on Databricks; its token makes a repeat find the same run. Raises JobRefused and Unavailable."""
    row = _existing(tools, window_id)
    plan = Plan.from_wire(dict(row.plan))
    run = _run(tools, row, number)
    if not run.run_id:
        job_id = tools.jobs.find(tools.jobs_of[row.window.feed].name)
        times = {"grace": plan.grace, "drain_limit": drain_limit_of(run, tools.drain_limit)}
        run_id = tools.jobs.run_now(job_id, run.instance_id, parameters_of(run, plan.streams, times))
        _change(tools, row, number, run_id=run_id, state="active")
        telemetry.info(logger, "run.started", window=window_id, run=run_id, number=number)
    return {"started": True}


def follow_run(tools: EnrichmentTools, window_id: str, number: int) -> dict[str, Any]:
    """Ask how the run stands, write it down, and make room for it: `ended`, and whether another try may help."""
    row = _existing(tools, window_id)
    supersede_overdue(tools, row)
    job_run = tools.jobs.run(_run(tools, row, number).run_id)
    # Read after Databricks was asked: who cancels a run says so in its row first.
    state = outcome_of(job_run, superseding=_run(tools, row, number).superseding)
    _change(tools, row, number, state=state, page_url=job_run.page_url, message=describe(job_run))
    again = state == "failed" and may_be_tried_again(job_run, number)
    return {"ended": state != "active", "state": state, "again": again}


def supersede_overdue(tools: EnrichmentTools, newest: WindowRow) -> None:
    """Cancel the earlier runs of the feed that are overdue; their own orchestrations see and record the end."""
    runs = tools.runs.of_feed(newest.window.feed)
    windows = {run.window.id: tools.ledger.window(run.window.id) for run in runs}
    known = {window_id: row for window_id, row in windows.items() if row}
    for run in overdue(runs, known, newest.window, tools.clock(), tools.drain_limit):
        _supersede(tools, run, newest)


def fail_run(tools: EnrichmentTools, window_id: str, number: int, reason: str) -> dict[str, Any]:
    """Write that a run could not be started or followed, and why."""
    row = _existing(tools, window_id)
    _change(tools, row, number, state="failed", message=reason[:_LONGEST_MESSAGE])
    telemetry.warning(logger, "run.failed", window=window_id, number=number, reason=reason)
    return {"ended": True, "state": "failed", "again": False}


def _supersede(tools: EnrichmentTools, run: RunRow, newest: WindowRow) -> None:
    """Ask for a run's end; that this is refused must not end the newer run, which is not at fault."""
    tools.runs.change(run.window, run.number, lambda row: replace(row, superseding=True))
    try:
        tools.jobs.cancel(run.run_id)
    except (JobRefused, LoginRefused) as refusal:
        telemetry.warning(logger, "run.not_superseded", window=run.window.id, run=run.run_id, cause=refusal)
        return
    telemetry.warning(logger, "run.superseded", window=run.window.id, run=run.run_id, by=newest.window.id)


def _lookup(tools: EnrichmentTools, window_id: str) -> tuple[str, str]:
    path = f"{_LOOKUPS}{window_id}.parquet"
    try:
        if tools.reference.read(path) is None:
            tools.reference.write(path, _read_assets(tools.assets))
            tools.reference.delete_older(_LOOKUPS, tools.clock() - LOOKUP_KEPT)
    except (Unavailable, FeedRefused, LoginRefused) as error:
        return _fallback(tools, error)
    return path, ""


def _read_assets(assets: Assets | None) -> bytes:
    if assets is None:
        raise Unavailable("ASSETS__url is not set")
    lookup = prepare(assets.pages(LOOKUP_SECONDS))
    if not len(lookup.table):
        raise Unavailable(f"of {lookup.read} assets none has a max supply")
    return parquet(lookup.table)


def _fallback(tools: EnrichmentTools, error: IngestionError) -> tuple[str, str]:
    path = tools.reference.newest(_LOOKUPS)
    if path is None:
        raise JobRefused(f"There is no lookup, and none could be made: {error}") from error
    telemetry.warning(logger, "lookup.fallback", path=path, cause=error)
    return path, f"The assets could not be read, {path} is used: {error}"


_LONGEST_MESSAGE = 1000


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
