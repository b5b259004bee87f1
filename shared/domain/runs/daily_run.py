"""The run that brings a day's gold up to date: one a day, in the name of the newest window of the day before."""

from collections.abc import Iterable
from datetime import datetime

from shared.domain.runs.run import RunRow, next_number
from shared.domain.windows.ledger_row import TERMINAL, WindowRow

INGESTED = TERMINAL - {"missed"}
"""The states of a window that has ended and was planned, so that a run of it can be started."""


def daily_run(row: WindowRow, runs: Iterable[RunRow], due: datetime, now: datetime) -> RunRow | None:
    """Give the run to claim for a window, None where one that catches up was claimed since it was due.

    runs: all of that window.
    """
    known = list(runs)
    if any(run.mode == "catch_up" and run.claimed_at >= due for run in known):
        return None
    return RunRow(row.window, next_number(known), "catch_up", "claimed", now, now, attempt=row.attempt)
