"""What callers ask of the spill: redrive some of it, discard some, show it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from shared import telemetry
from shared.clients.storage.spill import Spill
from shared.clients.storage.windows import Ledger
from shared.domain.redriving import AfterDead, first_due
from shared.domain.spill import UNSETTLED, SpilledBatch, SpillState
from shared.domain.spill_request import SpillRequest, SpillSummary, place_of, summaries
from shared.errors import RequestRejected
from shared.flows.request_windows import existing_window

MOST_CHANGED: Final = 2_000
"""Batches that one request writes: about half a minute of the 230 s that Azure waits for an answer."""

_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class SpillRequestTools:
    """What requests need of the world. feeds: the names of those that there are."""

    spill: Spill
    ledger: Ledger
    feeds: Collection[str]
    after_dead: AfterDead


@dataclass(frozen=True, slots=True)
class ChangedBatches:
    """The batches that a request reached, and how many it left because they were too many: ask again for those."""

    batches: Sequence[SpilledBatch]
    left: int = 0


@dataclass(frozen=True, slots=True)
class ListedSpill:
    """A page of summaries. after: what to ask for the next page with. messages: about how many wait, and are dead."""

    summaries: Sequence[SpillSummary]
    after: str | None
    messages: tuple[int, int]


def request_redrive(tools: SpillRequestTools, request: SpillRequest) -> ChangedBatches:
    """Have batches redriven at once, and dead ones among them wait again; gives those that wait now.

    Raises RequestRejected where the feed or window is unknown.
    """
    found = tools.spill.batches(states=UNSETTLED)
    meant = _meant(tools, request, found)
    dead = [batch for batch in meant if batch.state == "dead"]
    revived = _marked(tools, (_revived(batch) for batch in dead[:MOST_CHANGED]), "waiting")
    now = {batch.path: batch for batch in [*found, *revived]}
    _remind(tools, now.values(), {batch.stream for batch in meant})
    waiting = [now[batch.path] for batch in meant if now[batch.path].state == "waiting"]
    return ChangedBatches(waiting, max(0, len(dead) - MOST_CHANGED))


def request_discard(tools: SpillRequestTools, request: SpillRequest) -> ChangedBatches:
    """Give batches up; gives those that are discarded now. What was redriven is never touched, not even meanwhile.

    Raises RequestRejected where the feed or window is unknown.
    """
    found = tools.spill.batches(states=UNSETTLED)
    meant = _meant(tools, request, found)
    wanted = (replace(batch, state="discarded", reason=request.reason) for batch in meant[:MOST_CHANGED])
    discarded = _marked(tools, wanted, "discarded")
    _tell(tools, discarded)
    now = {batch.path: batch for batch in [*found, *discarded]}
    _remind(tools, now.values(), {batch.stream for batch in discarded})
    return ChangedBatches(discarded, max(0, len(meant) - MOST_CHANGED))


def list_spill(tools: SpillRequestTools, request: SpillRequest, limit: int, after: str) -> ListedSpill:
    """Sum up what lies in the spill by window and stream, at most `limit` of those behind `after`.

    Raises RequestRejected where the feed or window is unknown.
    """
    found = _meant(tools, request, tools.spill.batches())
    by_place = [(place, list(own)) for place, own in groupby(summaries(found), key=place_of) if place > after]
    page = by_place[:limit]
    following = page[-1][0] if len(by_place) > limit else None
    return ListedSpill([one for _, own in page for one in own], following, tools.spill.waiting_messages())


def _meant(tools: SpillRequestTools, request: SpillRequest, found: Sequence[SpilledBatch]) -> list[SpilledBatch]:
    """Give the batches that a request means; a feed or window that has none must at least exist."""
    named = [batch for batch in found if replace(request, states=()).means(batch)]
    if not named and request.window_id is not None:
        existing_window(tools.ledger, request.window_id, field="window")
    if not named and request.feed is not None and request.feed not in tools.feeds:
        raise RequestRejected("unknown", "unknown_feed", f"There is no feed {request.feed[:40]!r}.", "feed")
    return [batch for batch in named if request.means(batch)]


def _revived(batch: SpilledBatch) -> SpilledBatch:
    return replace(batch, state="waiting", tries=0, reason="", waits_for="")


def _marked(tools: SpillRequestTools, batches: Iterable[SpilledBatch], state: SpillState) -> list[SpilledBatch]:
    """Mark batches; gives those that are in this state now: another may have been redriven or deleted meanwhile."""
    marked = telemetry.in_threads(tools.spill.mark, batches, most=_AT_ONCE)
    return [batch for batch in marked if batch is not None and batch.state == state]


def _remind(tools: SpillRequestTools, batches: Iterable[SpilledBatch], streams: Collection[str]) -> None:
    """Remind of the first due batch of each of these streams: a redriver goes on from there."""
    for first in first_due((batch for batch in batches if batch.stream in streams), tools.after_dead):
        tools.spill.remind(first)


def _tell(tools: SpillRequestTools, discarded: Iterable[SpilledBatch]) -> None:
    """Name one batch of each stream and window: whoever reads that message tells of windows that are drained now."""
    for batch in {(batch.stream, batch.window_id): batch for batch in discarded}.values():
        tools.spill.remind(batch, tellings=1)
