"""What a caller may ask of the spill, and how it is summed up for one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from shared.domain.spill import SpilledBatch, SpillState

MOST_REASONS: Final = 5
"""Shown of one stream and window in one state."""


@dataclass(frozen=True, slots=True)
class SpillRequest:
    """Which batches are meant: those of a feed, of a window, or, where neither is given, all.

    states: those among them that the request changes or shows; empty for all. reason: why they are discarded.
    """

    feed: str | None = None
    window_id: str | None = None
    states: tuple[SpillState, ...] = ()
    reason: str = ""

    def means(self, batch: SpilledBatch) -> bool:
        """Say whether a batch is meant."""
        is_named = self.feed in (None, batch.feed) and self.window_id in (None, batch.window_id)
        return is_named and (not self.states or batch.state in self.states)


@dataclass(frozen=True, slots=True)
class SpillSummary:
    """The batches of a stream and window in one state.

    oldest: when the first was spilled. reasons: how many batches have which, the most frequent ones.
    """

    stream: str
    window_id: str
    feed: str
    state: SpillState
    batches: int
    rows: int
    oldest: datetime
    tries: int
    reasons: tuple[tuple[str, int], ...]


def summaries(batches: Iterable[SpilledBatch]) -> list[SpillSummary]:
    """Sum up batches by window, stream and state, in that order."""
    by_group = groupby(sorted(batches, key=_group), key=_group)
    return [_summary(list(own)) for _, own in by_group]


def place_of(summary: SpillSummary) -> str:
    """Name the window and stream of a summary, as a page of them ends."""
    return f"{summary.window_id}/{summary.stream}"


def _group(batch: SpilledBatch) -> tuple[str, str, SpillState]:
    return batch.window_id, batch.stream, batch.state


def _summary(own: list[SpilledBatch]) -> SpillSummary:
    first = own[0]
    reasons = Counter(batch.reason for batch in own if batch.reason)
    return SpillSummary(
        stream=first.stream,
        window_id=first.window_id,
        feed=first.feed,
        state=first.state,
        batches=len(own),
        rows=sum(batch.rows for batch in own),
        oldest=min(batch.spilled_at for batch in own),
        tries=max(batch.tries for batch in own),
        reasons=tuple(reasons.most_common(MOST_REASONS)),
    )
