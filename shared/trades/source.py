"""What the app asks of this feed: the source of a slice, and the source of what closing a window finds."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.windows.plan import Plan, SliceAttempt
from shared.domain.windows.window import Window
from shared.feeds.slicing import SliceClock, SliceSource
from shared.trades.closing import WindowClosing
from shared.trades.completeness.reports import SliceReport
from shared.trades.connection.client import VenueClient
from shared.trades.slice import TradesSlice


def slice_source(attempt: SliceAttempt, venues: Mapping[str, VenueClient], clock: SliceClock) -> SliceSource:
    """Open the source of one try at one slice; `venues` are the clients by the venue's name."""
    return TradesSlice(attempt, venues, clock)


def closing_source(
    plan: Plan,
    window: Window,
    reports: Sequence[Mapping[str, Any]],
    previous: Mapping[str, Any] | None,
    venues: Mapping[str, VenueClient],
    clock: SliceClock,
) -> SliceSource:
    """Open the source of what the slices of a window lack.

    window: the plan's, but for its end where it was stopped. reports: what `report()` of each slice's completed source
    gave, as the ledger kept it. previous: that of the last slice of the window before, where that ends at this one's
    start, else None.
    """
    read = [SliceReport.from_wire(report) for report in reports]
    return WindowClosing(plan, window, read, SliceReport.from_wire(previous) if previous else None, venues, clock)
