"""What is recorded of windows: that one ended, and, at housekeeping, how many wait for what, and how long."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from shared.domain.runs.run import RunRow
from shared.domain.windows.housekeeping import LOST
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.waiting import closing_age, enrichment_age, measurement_age, opening_age
from shared.signals.metrics import WAITING_AGE, WINDOWS, WINDOWS_ENDED
from shared.signals.recording import record, record_window


def record_end(row: WindowRow) -> None:
    """Record that a window ended, and tell it as the root of its trace: from its start, or its opening, to its end."""
    began = (row.opened_at or row.claimed_at) if row.plan.get("past") else row.window.start
    failure = (row.reason or row.state) if row.state in LOST else ""
    record(WINDOWS_ENDED, 1, feed=row.window.feed, state=row.state)
    about = {"state": row.state, "attempt": row.attempt}
    record_window(row.window.id, began, row.closed_at or row.window.end, failure=failure, **about)


def record_active(rows: Iterable[WindowRow], feeds: Collection[str], now: datetime, *, announced: bool) -> None:
    """Record how many windows of each feed have not ended, and how late the latest opening and closing are.

    announced: whether openings are published at all.
    """
    known = list(rows)
    for feed in feeds:
        own = [row for row in known if row.window.feed == feed]
        for state in ("planned", "open"):
            record(WINDOWS, sum(row.state == state for row in own), feed=feed, state=state)
        record(WAITING_AGE, opening_age(own, now, announced=announced), feed=feed, stage="opening")
        record(WAITING_AGE, closing_age(own, now), feed=feed, stage="closing")


def record_runs(
    feed: str, runs: Collection[RunRow], rows: Collection[WindowRow], now: datetime, drain_limit: timedelta
) -> None:
    """Record how late the latest start of a run of a feed is, and the latest run that is to be measured."""
    record(WAITING_AGE, enrichment_age(runs, now), feed=feed, stage="enrichment")
    record(WAITING_AGE, measurement_age(runs, rows, now, drain_limit), feed=feed, stage="measurement")
