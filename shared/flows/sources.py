"""How a slice of each kind of feed comes by its records; nobody else asks what kind a feed is of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.clients.recordings.blocks import RecordingFile
from shared.clients.storage.quarantine import Quarantine
from shared.domain.windows.plan import Plan, SliceAttempt
from shared.domain.windows.replay import ReplayPlan
from shared.errors import FeedUnusable, Unavailable
from shared.feeds.feed import Drawing, Drawn, Exchanges, Feed
from shared.feeds.slicing import CloseRequest, RunningSource, SliceClock, SliceSource
from shared.flows.drawn_slice import DrawnSlice
from shared.flows.replayed_slice import ReplayedSlice
from shared.trades.connection.client import VenueClient
from shared.trades.source import closing_source, slice_source


@dataclass(frozen=True, slots=True)
class SourceTools:
    """What sources need of the world.

    drawing: gives a drawn feed ready to draw. venues: makes the exchanges' clients, by name, for one slice or
    closing. recording: opens the file that a window replays. quarantine: keeps the lines of a stream's recording that
    are no records, for one try.
    """

    drawing: Callable[[str, Drawn], Drawing]
    venues: Callable[[], Mapping[str, VenueClient]]
    recording: Callable[[ReplayPlan], RecordingFile]
    quarantine: Callable[[str, SliceAttempt], Quarantine]


def open_source(feed: Feed, attempt: SliceAttempt, tools: SourceTools, time: SliceClock) -> RunningSource:
    """Give the source of one try at a slice; raises Unavailable where this worker can't draw what was planned."""
    if attempt.plan.replay is not None:
        return _replayed(feed, attempt, attempt.plan.replay, tools, time)
    match feed.source:
        case Drawn() as drawn:
            drawing = tools.drawing(feed.name, drawn)
            _check_fingerprint(attempt.plan, drawing.fingerprint)
            return DrawnSlice(attempt, drawing.draw, time)
        case Exchanges():
            return slice_source(attempt, tools.venues(), time)


def open_completion(feed: Feed, request: CloseRequest, tools: SourceTools, time: SliceClock) -> SliceSource | None:
    """Give the source of what a window's slices lack; None for a feed that can't lack anything its slices completed."""
    if request.plan.replay is not None:
        return None
    match feed.source:
        case Exchanges():
            return closing_source(request, tools.venues(), time)
        case Drawn():
            return None


def _replayed(
    feed: Feed, attempt: SliceAttempt, replay: ReplayPlan, tools: SourceTools, time: SliceClock
) -> RunningSource:
    if feed.replay is None:
        raise FeedUnusable(f"Window {attempt.plan.window.id} replays a file, and feed {feed.name} can't do that.")
    stream = feed.replay.contract.partition("/")[0]
    quarantine = tools.quarantine(stream, attempt)
    return ReplayedSlice(attempt, feed.replay, lambda: tools.recording(replay), quarantine, time)


def fingerprint_of(feed: Feed, tools: SourceTools) -> str:
    """Name the pool that a feed draws from, for its plans; empty where it draws from none."""
    return tools.drawing(feed.name, feed.source).fingerprint if isinstance(feed.source, Drawn) else ""


def _check_fingerprint(plan: Plan, fingerprint: str) -> None:
    if fingerprint != plan.fingerprint:
        raise Unavailable(
            f"The pool here ({fingerprint}) is not the one that window {plan.window.id} was planned with "
            f"({plan.fingerprint}); this worker can't draw the same records."
        )
