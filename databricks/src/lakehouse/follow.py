"""How a run follows its window: pass after pass while it is open, and an end of its own accord."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from lakehouse.streams.bronze import BronzeProgress
from lakehouse.counting.counts import WindowCounts
from lakehouse.request import RunRequest
from lakehouse.window import Closed

logger = logging.getLogger(__name__)

PAUSE = 5.0
"""Seconds between a pass that found nothing and the next."""

type Mode = Literal["follow", "catch_up", "rerun"]
type FollowEnd = Literal["drained", "gave_up", "caught_up", "rerun"]


class Clock(Protocol):
    """Time, as the run is given it."""

    def now(self) -> datetime:
        """Give the time, with its offset."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Stages(Protocol):
    """What a run drives: `lakehouse.chain.Chain`."""

    def prepare(self) -> None:
        """Make what is missing."""
        ...

    def run_pass(self, known: BronzeProgress | None = None) -> BronzeProgress:
        """Take what the hub has now all the way. known: what the pass before this one gave."""
        ...

    def rerun(self) -> None:
        """Make the window anew from bronze."""
        ...

    def closed(self, window_id: str) -> Closed | None:
        """Read the window's marker."""
        ...

    def recount(self, window_ids: list[str]) -> dict[str, WindowCounts]:
        """Count windows and write their counts."""
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended, and what it found. closed: None where the window was not closed by then."""

    ending: FollowEnd
    passes: int
    closed: Closed | None
    counts: WindowCounts
    behind: Mapping[str, int]


def run(request: RunRequest, mode: Mode, stages: Stages, clock: Clock) -> Finished:
    """Do what the mode asks; the last thing is always a count of the whole window."""
    stages.prepare()
    ending, passes, behind = _rerun(stages) if mode == "rerun" else _follow(request, mode, stages, clock)
    counts = stages.recount([request.window_id])[request.window_id]
    return Finished(ending, passes, stages.closed(request.window_id), counts, behind)


def ending_of(request: RunRequest, closed: Closed | None, read: Mapping[str, int], now: datetime) -> FollowEnd | None:
    """Decide after a pass: `drained` once all that the window's end names is read, `gave_up` when that takes too long.

    read: each partition's last sequence number in bronze.
    """
    if closed is not None and not not_yet_read(closed, read):
        return "drained"
    return "gave_up" if now >= request.gives_up_at else None


def not_yet_read(closed: Closed, read: Mapping[str, int]) -> dict[str, int]:
    """Name the partitions that are behind the window's end, with the number that each must reach."""
    return {partition: last for partition, last in closed.last.items() if read.get(partition, -1) < last}


def _rerun(stages: Stages) -> tuple[FollowEnd, int, Mapping[str, int]]:
    stages.rerun()
    return "rerun", 0, {}


def _follow(request: RunRequest, mode: Mode, stages: Stages, clock: Clock) -> tuple[FollowEnd, int, Mapping[str, int]]:
    passes, progress = 0, None
    while True:
        progress = stages.run_pass(progress)
        passes += 1
        closed = stages.closed(request.window_id)
        read = progress.last_sequence_numbers
        ending: FollowEnd | None = "caught_up" if mode == "catch_up" else ending_of(request, closed, read, clock.now())
        logger.info("lakehouse.pass_ended number=%s rows=%s ending=%s", passes, progress.rows_read, ending)
        if ending:
            return ending, passes, not_yet_read(closed, read) if closed else {}
        if not progress.rows_read:
            clock.sleep(PAUSE)
