"""What housekeeping does about windows that go on, decided from their rows and from how their orchestrations stand."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, Literal

from shared.domain.windows.instances import Standing
from shared.domain.windows.ledger_row import WindowRow

LOST: Final = ("failed", "missed")
"""The states that a person must hear of: nothing ingests such a window again by itself."""

ALERTED: Final = "alerted"
"""Under which a row keeps when an alert of its end was raised."""

type Remedy = Literal["leave", "restart", "end"]

SETTLED: Final = timedelta(minutes=5)
"""For so long a window that was claimed or begun is its starter's alone."""

MOST_RESTARTS: Final = 3
"""So often an attempt's orchestration is started again; what ended it four times is no passing trouble."""


def suspects(rows: Iterable[WindowRow], now: datetime) -> list[WindowRow]:
    """List the windows, of all that are planned or open, that must have an orchestration by now.

    A queued one that waits for its turn must not: of each feed's queue only the first is to be started, and only where
    none of the queue is open.
    """
    in_order = sorted(rows, key=lambda row: row.window)
    found = []
    for _, of_feed in groupby(in_order, key=lambda row: row.window.feed):
        found += _suspects_of_feed(list(of_feed), now)
    return found


def lost_unsaid(rows: Iterable[WindowRow], since: datetime) -> list[WindowRow]:
    """List the windows that ended without being ingested, since then, and of which nobody was alerted."""
    return [row for row in rows if row.closed_at and row.closed_at >= since and ALERTED not in row.announced]


def decide_remedy(row: WindowRow, standings: Sequence[Standing]) -> Remedy:
    """Decide what to do about a window, by the standings of its orchestration and of its legs and slices.

    While any of them lives, the window is left: a started child can't be started again, and it ends by itself.
    """
    if "alive" in standings:
        return "leave"
    return "restart" if row.restarts < MOST_RESTARTS else "end"


def ended(row: WindowRow, standing: Standing, now: datetime) -> WindowRow:
    """Give the row of a window that housekeeping ends: stopped where that was asked for, else failed."""
    reason = (
        f"Its orchestration ({row.instance}) is {standing}, and was started again {row.restarts} times without ending "
        f"the window."
    )
    state: Literal["stopped", "failed"] = "stopped" if row.stop_at else "failed"
    return replace(row, state=state, reason=reason, closed_at=now)


def _suspects_of_feed(rows: list[WindowRow], now: datetime) -> list[WindowRow]:
    waits_for_turn = {row.window for row in rows if row.state == "planned" and row.queued}
    busy = any(row.queued and row.state == "open" for row in rows)
    head = min(waits_for_turn, default=None)
    due = [row for row in rows if row.window not in waits_for_turn or (row.window == head and not busy)]
    return [row for row in due if now - (row.opened_at or row.claimed_at) >= SETTLED]
