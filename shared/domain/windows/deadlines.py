"""Until when the work of a window is tried again: from its grid, or, where that has passed, from its beginning."""

from datetime import datetime, timedelta
from typing import Final

from shared.domain.windows.plan import Plan
from shared.domain.windows.window import Slice

HANDED_OVER: Final = timedelta(minutes=2)
"""So long after its grace a slice of exchanges is tried again; later its closing asks the history for all at once."""

OUTAGE: Final = timedelta(hours=3)
"""The longest outage, after a window's end, that costs a drawn slice nothing: nobody else could send its records."""

CLOSING: Final = timedelta(hours=6)
"""So long closing is tried once no slice is any more."""

TELLING: Final = timedelta(hours=24)
"""So long after that a window's marker and its closing's event are tried."""


def slice_deadline(plan: Plan, part: Slice, began: datetime) -> datetime:
    """Say until when a slice is tried again; `began` is when its window's orchestration did."""
    if plan.sources and not plan.past:
        return part.end + plan.grace + HANDED_OVER
    return _over(plan, began) + OUTAGE


def closing_deadline(plan: Plan, began: datetime) -> datetime:
    """Say until when the closing of a window is tried; then it is ended as failed."""
    return _over(plan, began) + OUTAGE + CLOSING


def telling_deadline(plan: Plan, began: datetime) -> datetime:
    """Say until when the world is told of a window's end."""
    return closing_deadline(plan, began) + TELLING


def _over(plan: Plan, began: datetime) -> datetime:
    """Give when the last slice of a window has had its time: by the grid, or, of a past one, at its speed."""
    if plan.past:
        return began + plan.window.length / plan.speed + plan.grace * len(plan.slices())
    return plan.window.end + plan.grace
