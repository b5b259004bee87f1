"""What callers ask of windows: open some, stop one, list them, show one."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.clients.durable.orchestrations import Orchestrations
from shared.clients.storage.windows import Ledger, known_window
from shared.domain.windows.ledger_row import WINDOW_STATES, SliceRow, WindowRow
from shared.domain.windows.plan import MAX_WINDOW, Plan
from shared.domain.windows.request import InvalidRequest, OpenRequest, WindowTaken, windows_to_claim
from shared.domain.windows.schedule import Schedule
from shared.errors import RequestRejected
from shared.flows.open_windows import PlanFactory

# A slice looks at its row each second and flushes each second: what it has sent then lies before the stop.
STOP_NOTICE = timedelta(seconds=2)


def claim_requested(
    ledger: Ledger, plans: PlanFactory, schedule: Schedule, request: OpenRequest, now: datetime
) -> list[WindowRow]:
    """Claim the windows of a request, all or, where one overlaps, none; past ones queue in order.

    Raises RequestRejected for what is no window, and for one that another overlaps.
    """
    rivals = ledger.windows(request.feed, since=request.start - MAX_WINDOW)
    try:
        windows = windows_to_claim(request, schedule, rivals, now)
    except InvalidRequest as refusal:
        raise RequestRejected.of_field(refusal.field, refusal.rule) from refusal
    except WindowTaken as taken:
        why = f"overlaps window {taken.rival.window.id}, which is {taken.rival.state}"
        raise _taken(taken.window.id, why) from taken
    rows = [plans.row(window, now, "request", queued=window.end <= now) for window in windows]
    for row in rows:
        if not ledger.claim(row):
            raise _taken(row.window.id, "was claimed by another request at the same time")
    return rows


def first_of_queue(ledger: Ledger, rows: list[WindowRow]) -> list[WindowRow]:
    """Give those of the rows just claimed that start at once: all to come, and the first past one if none runs."""
    queued = [row for row in ledger.windows(rows[0].window.feed, states=("planned", "open")) if row.queued]
    first = min(queued, key=lambda row: (row.state != "open", row.window.start), default=None)
    return [row for row in rows if not row.queued or (first is not None and row.window == first.window)]


def list_windows(ledger: Ledger, feeds: Iterable[str], feed: str | None, state: str | None) -> list[WindowRow]:
    """List windows, newest first; raises RequestRejected for an unknown feed or state."""
    known = tuple(feeds)
    if feed is not None and feed not in known:
        raise RequestRejected.of_field("feed", f"must be one of {', '.join(known)}; it is {feed[:40]!r}")
    if state is not None and state not in WINDOW_STATES:
        raise RequestRejected.of_field("state", f"must be one of {', '.join(WINDOW_STATES)}; it is {state[:40]!r}")
    rows = [
        row for name in known if feed in (None, name) for row in ledger.windows(name, states=[state] if state else [])
    ]
    return sorted(rows, key=lambda row: row.window.start, reverse=True)


def show_window(ledger: Ledger, window_id: str) -> tuple[WindowRow, list[SliceRow]]:
    """Give a window's row and every try at its slices; raises RequestRejected."""
    return existing_window(ledger, window_id), ledger.attempts(window_id)


def mark_stopped(ledger: Ledger, window_id: str, now: datetime) -> WindowRow:
    """Write `stop_at` into a window's row, so far ahead that every slice sees it; a second call keeps the first.

    Raises RequestRejected for an unknown window, and for one that has ended.
    """
    existing_window(ledger, window_id)
    stop_at = now + STOP_NOTICE
    row = ledger.change(window_id, lambda row: None if row.ended or row.stop_at else replace(row, stop_at=stop_at))
    if row is None or row.ended:
        raise _taken(window_id, f"has ended already: it is {row.state if row else 'gone'}")
    return row


async def stop_orchestrations(row: WindowRow, orchestrations: Orchestrations) -> None:
    """Raise `stop` to the slices of a window that wait for their time; those that run see it in the ledger."""
    if row.plan:
        await orchestrations.stop([*Plan.from_wire(dict(row.plan)).slice_instances()])


def existing_window(ledger: Ledger, window_id: str, *, field: str = "id") -> WindowRow:
    """Give the row of a window that a request names in `field`; raises RequestRejected where there is none."""
    row = known_window(ledger, window_id)
    if row is None:
        raise RequestRejected("unknown", "unknown_window", f"There is no window {window_id[:80]!r}.", field)
    return row


def _taken(window_id: str, why: str) -> RequestRejected:
    return RequestRejected("conflict", "window_conflict", f"Window {window_id} {why}.", "start")
