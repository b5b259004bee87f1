"""How a run follows its window: pass after pass while it is open, and an end of its own accord."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from lakehouse.counting.counts import WindowCounts
from lakehouse.request import RunRequest
from lakehouse.window import Closed

logger = logging.getLogger(__name__)

type Mode = Literal["follow", "catch_up", "rerun"]
type FollowEnd = Literal["drained", "gave_up", "caught_up", "rerun"]
type Positions = Mapping[str, Mapping[str, int]]
"""By stream, the last sequence number that is in bronze of each partition of its hubs, named by `place_of`."""

LATE_PAUSE = timedelta(seconds=5)
"""From one pass to the next once the window is over and only its rest is waited for."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often a run does what. trigger_interval: from the beginning of a pass to that of the next."""

    trigger_interval: timedelta = timedelta(seconds=30)
    recount_every: timedelta = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass did: events that it read, and how far bronze has the streams' hubs now."""

    rows_read: int
    positions: Positions


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

    def run_pass(self) -> Passed:
        """Take what the hubs have now all the way."""
        ...

    def rerun(self) -> None:
        """Make the window anew from bronze."""
        ...

    def closed(self) -> Mapping[str, Closed] | None:
        """Read the marker of the window's end, by stream; None while the window is open."""
        ...

    def recount(self) -> None:
        """Bring the counts of the windows that passes touched up to now, and write them."""
        ...

    def finish(self) -> Mapping[str, WindowCounts]:
        """Count the whole window in the tables, write that, and give it by stream."""
        ...


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended, and what it found. closed: None where the window was not closed by then.

    behind: by `<stream>/<partition>` the number that was not reached.
    """

    ending: FollowEnd
    passes: int
    closed: Mapping[str, Closed] | None
    counts: Mapping[str, WindowCounts]
    behind: Mapping[str, int]

    @property
    def waiting(self) -> dict[str, int]:
        """Give by stream the records of the window that wait in the spill."""
        return in_spill(self.closed or {})


def run(request: RunRequest, mode: Mode, stages: Stages, clock: Clock, intervals: Intervals) -> Finished:
    """Do what the mode asks; the last thing is always a count of the whole window."""
    stages.prepare()
    if mode == "rerun":
        stages.rerun()
        return Finished("rerun", 0, stages.closed(), stages.finish(), {})
    ending, passes, positions = _follow(request, mode, stages, clock, intervals)
    closed = stages.closed()
    return Finished(ending, passes, closed, stages.finish(), not_yet_read(closed, positions) if closed else {})


def ending_of(
    request: RunRequest, closed: Mapping[str, Closed] | None, positions: Positions, now: datetime
) -> FollowEnd | None:
    """Decide after a pass: `drained` once all that the window's end names is read, `gave_up` after too long.

    What waits in the spill is still to come: then the window's end is written anew, with further positions.
    """
    if closed is not None and not in_spill(closed) and not not_yet_read(closed, positions):
        return "drained"
    return "gave_up" if now >= request.gives_up_at else None


def not_yet_read(closed: Mapping[str, Closed], positions: Positions) -> dict[str, int]:
    """Name the partitions (`<stream>/<partition>`) that are behind the window's end, with what each must reach."""
    return {
        f"{stream}/{partition}": last
        for stream, end in closed.items()
        for partition, last in end.last.items()
        if positions.get(stream, {}).get(partition, -1) < last
    }


def in_spill(closed: Mapping[str, Closed]) -> dict[str, int]:
    """Count by stream the records that wait in the spill, whichever attempt sent them."""
    waiting = {stream: end.spill.waiting_of_all_tries for stream, end in closed.items()}
    return {stream: rows for stream, rows in waiting.items() if rows}


def pause_after(
    begun: datetime, now: datetime, passed: Passed, *, is_over: bool, is_closed: bool, intervals: Intervals
) -> float:
    """Say how many seconds to wait after a pass that began at `begun`; a closed window's rest is read at once."""
    if is_closed and passed.rows_read:
        return 0.0
    interval = min(intervals.trigger_interval, LATE_PAUSE) if is_over or is_closed else intervals.trigger_interval
    return max((begun + interval - now).total_seconds(), 0.0)


def _follow(
    request: RunRequest, mode: Mode, stages: Stages, clock: Clock, intervals: Intervals
) -> tuple[FollowEnd, int, Positions]:
    passes, counted_at = 0, clock.now()
    while True:
        begun = clock.now()
        passed = stages.run_pass()
        passes += 1
        closed, now = stages.closed(), clock.now()
        ending = "caught_up" if mode == "catch_up" else ending_of(request, closed, passed.positions, now)
        logger.info("lakehouse.pass_ended number=%s rows=%s ending=%s", passes, passed.rows_read, ending)
        if ending:
            return ending, passes, passed.positions
        if now - counted_at >= intervals.recount_every:
            stages.recount()
            counted_at = now
        is_closed = closed is not None
        clock.sleep(
            pause_after(
                begun, clock.now(), passed, is_over=now >= request.end, is_closed=is_closed, intervals=intervals
            )
        )
