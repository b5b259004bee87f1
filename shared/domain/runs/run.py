"""Databricks runs of windows: what the ledger says of each, which of them waits for which, and which must make room."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from shared.domain.duration import format_duration
from shared.domain.exports import export_folder
from shared.domain.runs.job_state import JobRun, can_be_cured, has_ended, has_succeeded, is_queued
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import StreamPlan
from shared.domain.windows.window import Window, stamp

RunMode = Literal["follow", "catch_up", "rerun"]
RunState = Literal["claimed", "active", "succeeded", "failed", "superseded"]

RUN_STATES: tuple[str, ...] = get_args(RunState)
ACTIVE = frozenset({"claimed", "active"})
MOST_TRIES = 3

ABANDONED: Final = timedelta(minutes=10)
"""After so long without a sign of life a run that Databricks has not accepted is not waited for any more."""

KEPT: Final = timedelta(hours=24)
"""So long a hub keeps its events at least: later a window's tables can't be made of them any more."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of one window, by the number under which the ledger claimed it (from 1).

    run_id: Databricks' id, 0 before the run was accepted. updated_at: when its orchestration last wrote it. lookups: by
    name, the paths of reference data in their container; lookup_note: why one is not the window's own. superseding: a
    newer run asked for its end. message: what it waits for, or how it stands, as Databricks says it. attempt: that of
    the window whose opening asked for the run.
    """

    window: Window
    number: int
    mode: RunMode
    state: RunState
    claimed_at: datetime
    updated_at: datetime
    run_id: int = 0
    page_url: str = ""
    lookups: Mapping[str, str] = field(default_factory=dict)
    lookup_note: str = ""
    superseding: bool = False
    message: str = ""
    attempt: int = 1

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


def number_of_wanted(attempt: int, runs: Iterable[RunRow]) -> int | None:
    """Give the number of the run that the opening of a window's attempt must start; None where the attempt has one."""
    known = list(runs)
    if any(run.attempt == attempt for run in known):
        return None
    return next_number(known)


def next_number(runs: Iterable[RunRow]) -> int:
    """Give the number after those of a window's runs."""
    return max((run.number for run in runs), default=0) + 1


def row_key(window: Window, number: int) -> tuple[str, str]:
    """Give the ledger's keys of a run."""
    return window.feed, f"{stamp(window.start)}-r{number}"


def drain_limit_of(run: RunRow, usual: timedelta) -> timedelta:
    """Say how long after its window's planned end a run may wait for the rest.

    A window of the past is filled after that end, in its own length at the most: its run waits as if it began now.
    """
    is_past = run.claimed_at >= run.window.end
    return usual + (run.claimed_at - run.window.start if is_past else timedelta())


def parameters_of(
    row: RunRow, streams: Sequence[StreamPlan], times: Mapping[str, timedelta], hubs_made: Mapping[str, str]
) -> dict[str, str]:
    """Write the job parameters of a run, all of them text: `contracts/documents/job_parameters.v1.schema.json`.

    `times` has the grace and the drain limit, `hubs_made` when a hub was made, by its name, where that is known. A
    stream that ends in SQL is read from the files that its table is exported to; one that ends elsewhere is not the
    run's.
    """
    of_hubs = [_stream(one, hubs_made) for one in streams if one.hubs]
    exported = [
        {"name": one.name, "files": export_folder(one.name), "contract": one.contract}
        for one in streams
        if one.destination == "sql"
    ]
    read = [*of_hubs, *exported]
    return {
        "feed": row.window.feed,
        "window_id": row.window.id,
        "window_start": row.window.start.isoformat(),
        "window_end": row.window.end.isoformat(),
        "streams": json.dumps(read),
        "lookups": json.dumps(dict(row.lookups)),
        "mode": row.mode,
        **{name: format_duration(length) for name, length in times.items()},
    }


def is_read(row: WindowRow) -> bool:
    """Say whether a run has anything to read of a window: not where all its streams go elsewhere than to hubs."""
    return any(stream.get("hubs") or stream.get("hub") for stream in row.plan.get("streams", ()))


def may_start_until(run: RunRow) -> datetime:
    """Say until when it makes sense to start a run: a day from when its window was filled.

    A window of the past is filled in its own length at the most, from its run's claim on.
    """
    return max(run.window.end, run.claimed_at + run.window.length) + KEPT


def carriers(run: RunRow) -> list[str]:
    """Name the orchestrations that may carry a run out: its own, and those of the numbers that were tried before it."""
    return [instance_of(run.window.id, number) for number in range(run.number, max(0, run.number - MOST_TRIES), -1)]


def is_due_for_revival(run: RunRow, now: datetime) -> bool:
    """Say whether a run has given no sign of life for so long that its orchestration must be looked for."""
    return not run.ended and now - run.updated_at >= ABANDONED


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


def in_the_way(run: RunRow, others: Iterable[RunRow], now: datetime) -> list[RunRow]:
    """List the runs of a feed that `run` must wait for, because the feed has one run at a time.

    Those that Databricks has accepted, and those that were claimed before and whose submission may still come. Of runs
    that only wait one has none of the others in its way: their claims have an order.
    """
    return [other for other in others if _turn(other) != _turn(run) and _holds_up(other, run, now)]


def must_make_room(
    run: RunRow, stands: JobRun, window: WindowRow | None, newest: Window, now: datetime, drain_limit: timedelta
) -> bool:
    """Say whether a run must be ended for the one of `newest`: it is of an earlier window, and overdue.

    Overdue is what was asked to end before, whose window failed, or whose window let it go over `drain_limit` ago. It
    has as long from its claim and from its beginning on: a deliberate run, or one that waited for another, began late.
    What waits in Databricks' queue, or is not of the ledger, is never ended.
    """
    if window is None or has_ended(stands) or is_queued(stands) or run.window.start >= newest.start:
        return False
    failed = window.state == "failed" and run.mode != "rerun"
    had_its_turn = max(let_go(window), run.claimed_at, stands.begun_at or run.claimed_at)
    return run.superseding or failed or now - had_its_turn > drain_limit


def takes_in(run: RunRow, window: Window, drained: datetime) -> bool:
    """Say whether a run of a feed takes in what was redriven for a window, whose spill was drained at an instant.

    Any does that was claimed later and reads the hubs, however it ended; and the window's own, which waits for that.
    """
    waited = run.window == window and run.mode == "follow" and run.state == "succeeded" and run.updated_at >= drained
    return waited or (run.mode != "rerun" and run.claimed_at >= drained)


def has_waited_too_long(row: WindowRow, now: datetime, drain_limit: timedelta) -> bool:
    """Say whether what a window sent is still not there so long after the window let its run go."""
    return now - let_go(row) > drain_limit


def _holds_up(other: RunRow, run: RunRow, now: datetime) -> bool:
    if other.ended or other.run_id:
        return not other.ended
    return _turn(other) < _turn(run) and now - other.updated_at < ABANDONED


def _turn(run: RunRow) -> tuple[Any, ...]:
    return run.claimed_at, run.window.start, run.number


def _stream(plan: StreamPlan, hubs_made: Mapping[str, str]) -> dict[str, Any]:
    made = [{"created_at": hubs_made[hub]} if hub in hubs_made else {} for hub in plan.hubs]
    further = [{"name": hub, **known} for hub, known in zip(plan.hubs, made, strict=True)][1:]
    others = {"further_hubs": further} if further else {}
    database, _, container = plan.cosmos.partition("/")
    cosmos = {"cosmos": {"database": database, "container": container}} if plan.cosmos else {}
    return {"name": plan.name, "hub": plan.hubs[0], "contract": plan.contract, **made[0], **others, **cosmos}


def let_go(row: WindowRow) -> datetime:
    """Give when a run has, or will have, nothing more to wait for: a window of the past is filled after its end."""
    filled = row.closed_at or (row.opened_at and row.opened_at + (row.window.end - row.window.start))
    return max(real_end(row), filled or real_end(row))


def real_end(row: WindowRow) -> datetime:
    """Give when a window really ended, or will: earlier than planned where it was stopped."""
    return min(row.window.end, row.stop_at or row.window.end)
