"""How long past its time the oldest window is at each stage: seconds, 0 where none is late."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from shared.domain.runs.run import RunRow, let_go
from shared.domain.windows.ledger_row import WindowRow


def opening_age(rows: Iterable[WindowRow], now: datetime, *, announced: bool) -> float:
    """Look at windows that go on: one is to be open from its start on, and published, where openings are.

    One that was claimed after its start is to be open from then on; one that waits for its turn is not late.
    """
    return _oldest((max(row.window.start, row.claimed_at) for row in rows if _is_unopened(row, announced)), now)


def closing_age(rows: Iterable[WindowRow], now: datetime) -> float:
    """Look at windows that go on: one is to be closed when nothing is to come any more."""
    return _oldest((let_go(row) for row in rows if not _waits_for_its_turn(row)), now)


def enrichment_age(runs: Iterable[RunRow], now: datetime) -> float:
    """Look at runs that go on: one is to be started on Databricks from its claim on."""
    return _oldest((run.claimed_at for run in runs if not run.run_id), now)


def measurement_age(
    runs: Iterable[RunRow], rows: Collection[WindowRow], now: datetime, drain_limit: timedelta
) -> float:
    """Look at runs that go on, and at their windows: one is to end, and to be measured then, within the drain limit."""
    by_window = {row.window: row for row in rows}
    started = [run for run in runs if run.run_id and run.window in by_window]
    return _oldest((max(let_go(by_window[run.window]), run.claimed_at) + drain_limit for run in started), now)


def _is_unopened(row: WindowRow, announced: bool) -> bool:
    if _waits_for_its_turn(row):
        return False
    return row.state == "planned" or (announced and "opened" not in row.announced)


def _waits_for_its_turn(row: WindowRow) -> bool:
    return row.state == "planned" and row.queued


def _oldest(due: Iterable[datetime], now: datetime) -> float:
    return max([0.0, *((now - time).total_seconds() for time in due)])
