"""How windows, their slices and their runs are shown to callers, as plain JSON."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.domain.runs.run import RunRow
from shared.domain.volumes.reconciliation import verdict_of
from shared.domain.windows.ledger_row import SliceRow, WindowRow


def opened_windows(rows: Iterable[WindowRow], status_urls: Callable[[str], Mapping[str, str]]) -> dict[str, Any]:
    """Show the windows that a request opened. status_urls: gives those of an orchestration by the window's id."""
    return {"windows": [window_summary(row) | {"status": status_urls(row.window.id)} for row in rows]}


def window_list(rows: Iterable[WindowRow]) -> dict[str, Any]:
    """Show windows in the order of their rows."""
    return {"windows": [window_summary(row) for row in rows]}


def window_summary(row: WindowRow) -> dict[str, Any]:
    """Show a window in a list: id, feed, times, state, reason and its counts per stream once it has ended."""
    return {
        "id": row.window.id,
        "feed": row.window.feed,
        "start": _format(row.window.start),
        "end": _format(row.window.end),
        "state": row.state,
        "origin": row.origin,
        "reason": row.reason,
        "stop_at": _format(row.stop_at),
        "counts": row.result.get("counts", {}),
    }


def window_details(row: WindowRow, attempts: Iterable[SliceRow]) -> dict[str, Any]:
    """Show a window whole: its summary, plan, what closing found, and every try at every slice."""
    return window_summary(row) | {
        "claimed_at": _format(row.claimed_at),
        "opened_at": _format(row.opened_at),
        "closed_at": _format(row.closed_at),
        "announced": dict(row.announced),
        "plan": dict(row.plan),
        "result": dict(row.result),
        "slices": [slice_details(attempt) for attempt in attempts],
    }


def enrichment_view(
    runs: Iterable[RunRow], counts: Mapping[str, Mapping[str, int]], counts_note: str
) -> dict[str, Any]:
    """Show a window's runs and the lakehouse's counts by stream, with its verdict: `balanced`, `unbalanced` or None.

    counts: rows by stream and `<stage>/<name>`. counts_note: why there are none, where they could not be read.
    """
    return {
        "runs": [run_details(run) for run in runs],
        "counts": {stream: _stages(rows) for stream, rows in counts.items()},
        "counts_note": counts_note,
        "reconciliation": verdict_of(counts),
    }


def _stages(rows: Mapping[str, int]) -> dict[str, Any]:
    """Sort counts by stage; a stage with one unnamed count is a number, others are numbers by name."""
    stages: dict[str, Any] = {}
    for key in sorted(rows, key=lambda key: bool(key.partition("/")[2])):
        (stage, _, name), count = key.partition("/"), rows[key]
        if name:
            stages.setdefault(f"{stage}_by_name" if isinstance(stages.get(stage), int) else stage, {})[name] = count
        else:
            stages[stage] = count
    return stages


def accepted_run(run: RunRow) -> dict[str, Any]:
    """Show the run that a request started, with its window."""
    return {"window": run.window.id, "run": run_details(run)}


def run_details(run: RunRow) -> dict[str, Any]:
    """Show how a run stands."""
    return {
        "number": run.number,
        "mode": run.mode,
        "state": run.state,
        "run_id": run.run_id,
        "page_url": run.page_url,
        "lookups": dict(run.lookups),
        "lookup_note": run.lookup_note,
        "message": run.message,
        "claimed_at": run.claimed_at.isoformat(),
        "updated_at": run.updated_at.isoformat(),
    }


def slice_details(row: SliceRow) -> dict[str, Any]:
    """Show one try at a slice: counts per stream, and what a live feed saw (gaps, skew, unreadable frames)."""
    return {
        "slice": row.slice.number,
        "attempt": row.attempt,
        "start": _format(row.slice.start),
        "end": _format(row.slice.end),
        "state": row.state,
        "reason": row.reason,
        "started_at": _format(row.started_at),
        "updated_at": _format(row.updated_at),
        "counts": dict(row.counts),
        "report": dict(row.report),
    }


def _format(instant: datetime | None) -> str | None:
    return instant.isoformat().replace("+00:00", "Z") if instant else None
