"""How windows are shown to callers, as plain JSON."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.domain.runs.run import RunRow
from shared.domain.volumes.reconciliation import verdict_of
from shared.domain.windows.ledger_row import SliceRow, WindowRow


def window_summary(row: WindowRow) -> dict[str, Any]:
    """Show a window in a list: id, feed, times, state, reason and its counts per stream once it has ended."""
    return {
        "id": row.window.id,
        "feed": row.window.feed,
        "start": _shown(row.window.start),
        "end": _shown(row.window.end),
        "state": row.state,
        "origin": row.origin,
        "reason": row.reason,
        "stop_at": _shown(row.stop_at),
        "counts": row.result.get("counts", {}),
    }


def window_details(row: WindowRow, attempts: Iterable[SliceRow]) -> dict[str, Any]:
    """Show a window whole: its summary, plan, what closing found, and every try at every slice."""
    return window_summary(row) | {
        "claimed_at": _shown(row.claimed_at),
        "opened_at": _shown(row.opened_at),
        "closed_at": _shown(row.closed_at),
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
        "runs": [run.as_view() for run in runs],
        "counts": {stream: _stages(rows) for stream, rows in counts.items()},
        "counts_note": counts_note,
        "reconciliation": verdict_of(counts),
    }


def _stages(rows: Mapping[str, int]) -> dict[str, Any]:
    """Sort counts by stage; a stage with one unnamed count is a number, others are numbers by name."""
    stages: dict[str, Any] = {}
    for key, count in rows.items():
        stage, _, name = key.partition("/")
        if name:
            stages.setdefault(f"{stage}_by_name" if isinstance(stages.get(stage), int) else stage, {})[name] = count
        else:
            stages[stage] = count
    return stages


def slice_details(row: SliceRow) -> dict[str, Any]:
    """Show one try at a slice: counts per stream, and what a live feed saw (gaps, skew, unreadable frames)."""
    return {
        "slice": row.slice.number,
        "attempt": row.attempt,
        "start": _shown(row.slice.start),
        "end": _shown(row.slice.end),
        "state": row.state,
        "reason": row.reason,
        "started_at": _shown(row.started_at),
        "updated_at": _shown(row.updated_at),
        "counts": dict(row.counts),
        "report": dict(row.report),
    }


def _shown(instant: datetime | None) -> str | None:
    return instant.isoformat().replace("+00:00", "Z") if instant else None
