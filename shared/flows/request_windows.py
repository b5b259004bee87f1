"""What callers ask of windows: open some, stop one, list them, show one."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from shared import telemetry
from shared.clients.durable.orchestrations import Orchestrations
from shared.clients.storage.windows import Ledger, claim_attempt, known_window
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.plan import MAX_WINDOW, Plan
from shared.domain.windows.request import InvalidRequest, ListRequest, OpenRequest, WindowTaken, decide_request
from shared.domain.windows.rows import Rows, UnreadableRow
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import stamp
from shared.errors import CorruptRow, RequestRejected
from shared.flows.open_windows import PlanFactory
from shared.flows.window_signals import record_end

# A slice looks at its row each second and flushes each second: what it has sent then lies before the stop.
STOP_NOTICE = timedelta(seconds=2)

STOP_WAIT: Final = 15.0
"""Seconds for which a stop waits for the slices that run to end; a slice whose worker died never says so."""

_LOOK_EVERY: Final = 0.5
_CLAIMS_AT_ONCE: Final = 8
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OpenedWindows:
    """The windows of a request as they stand now, in order; `rest` is what to ask for next where there are more."""

    rows: tuple[WindowRow, ...]
    rest: OpenRequest | None = None


def claim_requested(
    ledger: Ledger, plans: PlanFactory, schedule: Schedule, request: OpenRequest, now: datetime
) -> OpenedWindows:
    """Claim the windows of a request, or open them again where they ended badly; past ones queue in order.

    What the ledger has already as it is wanted stays as it is, so that the same request again gives the same windows
    and does what one before it left undone. Nothing is claimed where a window is in the way.

    Raises RequestRejected for what is no window, and for one that another overlaps.
    """
    rows = ledger.windows(request.feed, since=request.start - MAX_WINDOW, before=request.end)
    try:
        decision = decide_request(request, schedule, rows, now)
    except InvalidRequest as refusal:
        raise RequestRejected.of_field(refusal.field, refusal.rule) from refusal
    except WindowTaken as taken:
        why = f"overlaps window {taken.rival.window.id}, which is {taken.rival.state}"
        raise _taken(taken.window.id, why) from taken
    wanted = plans.rows(request.feed, now, "request", decision.claim, decision.reopen)
    claimed = telemetry.in_threads(partial(_claimed, ledger), wanted, most=_CLAIMS_AT_ONCE)
    in_order = sorted([*decision.known, *claimed], key=lambda row: row.window.start)
    return OpenedWindows(tuple(in_order), decision.rest)


def first_of_queue(ledger: Ledger, rows: Sequence[WindowRow]) -> list[WindowRow]:
    """Give those of a request's rows that start at once: all to come, and the first past one if none runs."""
    planned = [row for row in rows if row.state == "planned"]
    if not any(row.queued for row in planned):
        return planned
    queued = [row for row in ledger.windows(rows[0].window.feed, states=("planned", "open")) if row.queued]
    first = min(queued, key=lambda row: (row.state != "open", row.window.start), default=None)
    return [row for row in planned if not row.queued or (first is not None and row.window == first.window)]


@dataclass(frozen=True, slots=True)
class ListedWindows:
    """One page of windows; `after` is what to ask for the next page with, None where there is none."""

    rows: Rows[WindowRow]
    after: str | None


def list_windows(ledger: Ledger, feeds: Iterable[str], request: ListRequest, now: datetime) -> ListedWindows:
    """List windows, newest first, of several feeds those that start together by the feed's name.

    Reads no more of the ledger than the page needs, and a row above it for each feed.
    """
    found = [
        ledger.newest(feed, request.limit + 1, now=now, before=_before(request, feed), states=_states(request))
        for feed in feeds
        if request.feed in (None, feed)
    ]
    rows = [(stamp(row.window.start), row.window.feed, row) for each in found for row in each]
    odd = [(row.row, row.partition, row) for each in found for row in each.unreadable]
    by_feed = sorted([*rows, *odd], key=lambda entry: entry[1])
    in_order = sorted(by_feed, key=lambda entry: entry[0], reverse=True)
    page = [entry[2] for entry in in_order[: request.limit]]
    start, feed, _ = in_order[len(page) - 1] if page else ("", "", None)
    listed = Rows(
        (row for row in page if isinstance(row, WindowRow)), (row for row in page if isinstance(row, UnreadableRow))
    )
    return ListedWindows(listed, f"{feed}-{start}" if len(in_order) > len(page) else None)


def show_window(ledger: Ledger, window_id: str) -> tuple[WindowRow, Rows[WindowRow], Rows[SliceRow]]:
    """Give a window's row, its ended attempts and every try at its slices; raises RequestRejected."""
    return existing_window(ledger, window_id), ledger.ended_attempts(window_id), ledger.attempts(window_id)


def mark_stopped(ledger: Ledger, window_id: str, now: datetime) -> WindowRow:
    """Write into a window's row that it was stopped; a second call keeps the first.

    A window that waits for its turn or its time ends at once. A running one ends at `stop_at`, so far ahead that every
    slice sees it; a past one now, and closing sends nothing for it any more.

    Raises RequestRejected for an unknown window, and for one that has ended otherwise.
    """
    existing_window(ledger, window_id)
    row = ledger.change(window_id, lambda row: None if row.ended or row.stop_at else _stopped(row, now))
    if row is None or (row.ended and not row.stop_at):
        raise _taken(window_id, f"has ended already: it is {row.state if row else 'gone'}")
    if row.closed_at == now:
        record_end(row)
    return row


async def stop_orchestrations(row: WindowRow, orchestrations: Orchestrations) -> None:
    """Raise `stop` to the slices of a window that wait for their time; those that run see it in the ledger.

    A window that has ended has none.
    """
    if row.plan and not row.ended:
        await orchestrations.stop([*Plan.from_wire(dict(row.plan)).slice_instances()])


async def await_slices(ledger: Ledger, row: WindowRow, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Wait until no try at a slice of the window's present attempt runs, but not for ever: nothing is sent then."""
    for _ in range(int(STOP_WAIT / _LOOK_EVERY)):
        tries = await telemetry.in_thread(ledger.attempts, row.window.id, row.attempt)
        if not any(attempt.state == "running" for attempt in tries):
            return
        await sleep(_LOOK_EVERY)


def existing_window(ledger: Ledger, window_id: str, *, field: str = "id") -> WindowRow:
    """Give the row of a window that a request names in `field`; raises RequestRejected where there is none."""
    row = known_window(ledger, window_id)
    if row is None:
        raise RequestRejected("unknown", "unknown_window", f"There is no window {window_id[:80]!r}.", field)
    return row


def _before(request: ListRequest, feed: str) -> datetime | None:
    """Give the instant before which a feed's windows follow in the list."""
    if request.after is None:
        return None
    named, start = request.after
    return min(start, _LAST) + timedelta(seconds=1) if feed > named else start


def _states(request: ListRequest) -> Sequence[str]:
    return (request.state,) if request.state else ()


def _claimed(ledger: Ledger, row: WindowRow) -> WindowRow:
    """Claim a window or its next attempt; where another caller was first with the same window, give it as it stands."""
    if claim_attempt(ledger, row):
        return row
    try:
        there = ledger.window(row.window.id)
    except CorruptRow as error:
        raise _taken(row.window.id, f"is in the ledger, but can't be read: {error}") from error
    if there is None or there.window != row.window:
        raise _taken(row.window.id, "was claimed by another request at the same time, with another end")
    return there


def _stopped(row: WindowRow, now: datetime) -> WindowRow:
    if row.state == "planned":
        reason = f"Stopped by request at {now.isoformat(timespec='seconds')}, before it began."
        return replace(row, state="stopped", stop_at=now, closed_at=now, reason=reason)
    return replace(row, stop_at=now if row.window.end <= now else now + STOP_NOTICE)


def _taken(window_id: str, why: str) -> RequestRejected:
    return RequestRejected("conflict", "window_conflict", f"Window {window_id} {why}.", "start")
