"""What the app asks of this feed: the source of a slice, and the source of what closing a window finds."""

from collections.abc import Mapping

from shared.domain.windows.plan import SliceAttempt
from shared.feeds.slicing import CloseRequest, RunningSource, SliceClock, SliceSource
from shared.trades.closing import WindowClosing
from shared.trades.connection.client import VenueClient
from shared.trades.slice import TradesSlice


def slice_source(attempt: SliceAttempt, venues: Mapping[str, VenueClient], clock: SliceClock) -> RunningSource:
    """Open the source of one try at one slice; `venues` are its own clients by the venue's name."""
    return TradesSlice(attempt, venues, clock)


def closing_source(request: CloseRequest, venues: Mapping[str, VenueClient], clock: SliceClock) -> SliceSource:
    """Open the source of what the slices of a window lack; `venues` are its own clients by the venue's name."""
    return WindowClosing(request, venues, clock)
