"""Databricks runs of windows: what the ledger says of each, and which of them must make room for a newer one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from shared.domain.duration import format_duration
from shared.domain.runs.job_state import JobRun, can_be_cured, has_ended, has_succeeded
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import StreamPlan
from shared.domain.windows.window import Window, stamp

RunMode = Literal["follow", "rerun"]
RunState = Literal["claimed", "active", "succeeded", "failed", "superseded"]

RUN_STATES: tuple[str, ...] = get_args(RunState)
ACTIVE = frozenset({"claimed", "active"})
MOST_TRIES = 3

_FIRST_POLL = timedelta(seconds=4)
_LONGEST_POLL = timedelta(minutes=5)
_POLL_GROWTH = 4


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of one window, by the number under which the ledger claimed it (from 1).

    run_id: Databricks' id, 0 before the run was accepted. lookup: the path of the reference data in its container,
    empty for none; lookup_note: why it is not the window's own. superseding: a newer run asked for its end.
    message: how the run stands, as Databricks says it.
    """

    window: Window
    number: int
    mode: RunMode
    state: RunState
    claimed_at: datetime
    updated_at: datetime
    run_id: int = 0
    page_url: str = ""
    lookup: str = ""
    lookup_note: str = ""
    superseding: bool = False
    message: str = ""

    @property
    def instance_id(self) -> str:
        """Name the orchestration, which is the idempotency token too."""
        return instance_of(self.window.id, self.number)

    @property
    def ended(self) -> bool:
        """Say whether the run is over."""
        return self.state not in ACTIVE


def instance_of(window_id: str, number: int) -> str:
    """Name the orchestration of a window's run: `enrich-<window id>`, with `-r<n>` from the second on."""
    return f"enrich-{window_id}" if number == 1 else f"enrich-{window_id}-r{number}"


def row_key(window: Window, number: int) -> tuple[str, str]:
    """Give the ledger's keys of a run."""
    return window.feed, f"{stamp(window.start)}-r{number}"


def drain_limit_of(run: RunRow, usual: timedelta) -> timedelta:
    """Say how long after its window's planned end a run may wait for the rest.

    A window of the past is filled after that end, in its own length at the most: its run waits as if it began now.
    """
    is_past = run.claimed_at >= run.window.end
    return usual + (run.claimed_at - run.window.start if is_past else timedelta())


def parameters_of(row: RunRow, streams: Sequence[StreamPlan], times: Mapping[str, timedelta]) -> dict[str, str]:
    """Write the job parameters of a run, all of them text: `contracts/documents/job_parameters.v1.schema.json`.

    `times` has the grace and the drain limit. A stream that goes elsewhere than to a hub is not the run's.
    """
    read = [{"name": one.name, "hub": one.hub, "contract": one.contract} for one in streams if one.hub]
    return {
        "feed": row.window.feed,
        "window_id": row.window.id,
        "window_start": row.window.start.isoformat(),
        "window_end": row.window.end.isoformat(),
        "streams": json.dumps(read),
        "lookups": json.dumps({"assets": row.lookup} if row.lookup else {}),
        "mode": row.mode,
        **{name: format_duration(length) for name, length in times.items()},
    }


def poll_after(elapsed: timedelta) -> timedelta:
    """Say how long to wait before asking again: a quarter of what was waited so far, within bounds."""
    return min(max(_FIRST_POLL, elapsed / _POLL_GROWTH), _LONGEST_POLL)


def outcome_of(run: JobRun, *, superseding: bool) -> RunState:
    """Say what a run's end means to us: a cancelled one that had to make room is superseded, which is no failure."""
    if not has_ended(run):
        return "active"
    if has_succeeded(run):
        return "succeeded"
    return "superseded" if superseding else "failed"


def may_be_tried_again(run: JobRun, number: int) -> bool:
    """Say whether a failed run's termination details let another one help, and there is a try left."""
    return number < MOST_TRIES and can_be_cured(run)


def overdue(
    runs: Iterable[RunRow], windows: Mapping[str, WindowRow], newest: Window, now: datetime, drain_limit: timedelta
) -> list[RunRow]:
    """List the earlier runs of a feed that must make room for the one of `newest`.

    Only what the ledger records, is active, and whose own window failed, or let it go over `drain_limit` ago. A
    deliberate run has as long from its claim on: its window ended before it began.
    """
    earlier = [run for run in runs if not run.ended and run.run_id and run.window.start < newest.start]
    return [run for run in earlier if _is_overdue(run, windows.get(run.window.id), now, drain_limit)]


def _is_overdue(run: RunRow, window: WindowRow | None, now: datetime, drain_limit: timedelta) -> bool:
    if window is None:
        return False
    failed = window.state == "failed" and run.mode != "rerun"
    return run.superseding or failed or now - max(_let_go(window), run.claimed_at) > drain_limit


def _let_go(row: WindowRow) -> datetime:
    """Give when a run has, or will have, nothing more to wait for: a window of the past is filled after its end."""
    filled = row.closed_at or (row.opened_at and row.opened_at + (row.window.end - row.window.start))
    return max(real_end(row), filled or real_end(row))


def real_end(row: WindowRow) -> datetime:
    """Give when a window really ended, or will: earlier than planned where it was stopped."""
    return min(row.window.end, row.stop_at or row.window.end)
