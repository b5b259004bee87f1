"""How windows, their slices and runs, and what is spilled are shown to callers, as plain JSON."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from shared.domain.runs.run import RunRow
from shared.domain.spill import SpilledBatch
from shared.domain.spill_request import SpillSummary
from shared.domain.volumes.reconciliation import verdict_of
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.request import OpenRequest
from shared.domain.windows.rows import Rows
from shared.http.instants import written


def opened_windows(
    rows: Sequence[WindowRow], rest: OpenRequest | None, limit: int, status_urls: Callable[[str], Mapping[str, str]]
) -> dict[str, Any]:
    """Show the first `limit` windows of a request; `next` is the body of the request that shows those after them.

    It asks for what this one opened but does not show, and for `rest`, what this one was too small for.
    status_urls: gives those of an orchestration by its id.
    """
    listed, hidden = rows[:limit], rows[limit:]
    following = OpenRequest(hidden[0].window.feed, hidden[0].window.start, rows[-1].window.end) if hidden else rest
    if hidden and rest:
        following = OpenRequest(rest.feed, hidden[0].window.start, rest.end)
    return {
        "windows": [window_summary(row) | {"status": status_urls(row.instance)} for row in listed],
        "opened": len(rows),
        "next": _request_body(following) if following else None,
    }


def _request_body(request: OpenRequest) -> dict[str, Any]:
    return {"feed": request.feed, "start": written(request.start), "end": written(request.end)}


def window_list(rows: Rows[WindowRow], after: str | None) -> dict[str, Any]:
    """Show a page of windows in the order of their rows; `next` is what to ask for as `after` for the next page.

    unreadable: the rows among them that this version of the app can't read.
    """
    return {
        "windows": [window_summary(row) for row in rows],
        "unreadable": _unreadable(rows),
        "next": after,
    }


def window_summary(row: WindowRow) -> dict[str, Any]:
    """Show a window in a list: id, feed, times, state, reason and its counts per stream once it has ended."""
    return {
        "id": row.window.id,
        "feed": row.window.feed,
        "start": written(row.window.start),
        "end": written(row.window.end),
        "state": row.state,
        "origin": row.origin,
        "reason": row.reason,
        "attempt": row.attempt,
        "stop_at": written(row.stop_at),
        "counts": row.result.get("counts", {}),
    }


def window_details(row: WindowRow, ended: Rows[WindowRow], tries: Rows[SliceRow]) -> dict[str, Any]:
    """Show a window whole: its summary, plan, what closing found, its attempts, and every try at every slice.

    ended: the attempts before the present one, which is shown among `attempts` as the last.
    """
    return window_summary(row) | {
        "claimed_at": written(row.claimed_at),
        "opened_at": written(row.opened_at),
        "closed_at": written(row.closed_at),
        "announced": dict(row.announced),
        "plan": dict(row.plan),
        "result": dict(row.result),
        "attempts": [_attempt(one) for one in (*ended, row)],
        "slices": [slice_details(attempt) for attempt in tries],
        "unreadable": [*_unreadable(ended), *_unreadable(tries)],
    }


def _attempt(row: WindowRow) -> dict[str, Any]:
    return {
        "attempt": row.attempt,
        "state": row.state,
        "origin": row.origin,
        "reason": row.reason,
        "claimed_at": written(row.claimed_at),
        "opened_at": written(row.opened_at),
        "closed_at": written(row.closed_at),
        "stop_at": written(row.stop_at),
        "restarts": row.restarts,
        "counts": row.result.get("counts", {}),
    }


def _unreadable[Row](rows: Rows[Row]) -> list[dict[str, str]]:
    return [{"key": odd.key, "reason": odd.reason} for odd in rows.unreadable]


def enrichment_view(
    runs: Iterable[RunRow], counts: Mapping[str, Mapping[str, int]], counts_note: str
) -> dict[str, Any]:
    """Show a window's runs and the lakehouse's counts by stream, with its verdict, None where there is none.

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
        "window_attempt": row.window_attempt,
        "start": written(row.slice.start),
        "end": written(row.slice.end),
        "state": row.state,
        "reason": row.reason,
        "started_at": written(row.started_at),
        "updated_at": written(row.updated_at),
        "counts": dict(row.counts),
        "sinks": dict(row.sinks),
        "report": dict(row.report),
    }


def changed_batches(batches: Sequence[SpilledBatch], left: int) -> dict[str, Any]:
    """Show what a request to redrive or discard reached; `left`: batches that it was too small for."""
    return {
        "batches": len(batches),
        "rows": sum(batch.rows for batch in batches),
        "streams": sorted({batch.stream for batch in batches}),
        "left": left,
    }


def spill_page(summed: Sequence[SpillSummary], after: str | None, messages: tuple[int, int]) -> dict[str, Any]:
    """Show what lies in the spill by window, stream and state; `next` is what to ask for as `after`.

    messages: about how many wait in the queue, and lie in that of the dead.
    """
    waiting, dead = messages
    return {
        "spill": [_spill_summary(one) for one in summed],
        "next": after,
        "messages": {"waiting": waiting, "dead": dead},
    }


def _spill_summary(one: SpillSummary) -> dict[str, Any]:
    return {
        "window": one.window_id,
        "feed": one.feed,
        "stream": one.stream,
        "state": one.state,
        "batches": one.batches,
        "rows": one.rows,
        "oldest": written(one.oldest),
        "tries": one.tries,
        "reasons": [{"reason": reason, "batches": count} for reason, count in one.reasons],
    }
