"""The source of a replayed slice: its lines of a recording, each when it is due by the grid."""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared import telemetry
from shared.clients.recordings.blocks import RecordingFile
from shared.clients.storage.quarantine import Quarantine
from shared.contracts import load_contract
from shared.domain.delivery import Refusal
from shared.domain.windows.plan import SliceAttempt
from shared.domain.windows.replay import ReplayPlan
from shared.domain.windows.window import microseconds
from shared.errors import FeedRefused
from shared.feeds.feed import Replayed
from shared.feeds.records import Records
from shared.feeds.replaying.header import header_of
from shared.feeds.replaying.reader import LineReader
from shared.feeds.replaying.timed import SliceLines, TimedLines, bounds_of, first_time, timed_blocks
from shared.feeds.slicing import SliceClock, StreamRecords

logger = logging.getLogger(__name__)

TICK: Final = timedelta(milliseconds=500)
_LONGEST_NAP: Final = 1.0
_LOG_EVERY: Final = timedelta(seconds=10)
_NAMED_REASONS: Final = 20


@dataclass(slots=True)
class ReplayedSlice:
    """Gives the lines of one slice, in the order of the file; which they are follows from the plan alone.

    recording: opens the plan's file. quarantine: keeps the lines that are no records. A try that goes on where an
    earlier one was begins behind the last line that one had delivered. A past slice goes at the plan's `speed`.
    """

    attempt: SliceAttempt
    replayed: Replayed
    recording: Callable[[], RecordingFile]
    quarantine: Quarantine
    time: SliceClock
    _line: int = 0
    _done: int = 0
    _of: int | None = None
    _refused: Counter[str] = field(default_factory=Counter)
    _logged_at: datetime | None = None

    async def batches(self) -> AsyncGenerator[StreamRecords]:
        """Give records and refused lines as they are due; raises FeedRefused for a file that can't be replayed."""
        self._take_up(self.attempt.resumed)
        await self._until(self.attempt.part.start)
        blocks = await asyncio.to_thread(self._blocks)
        began = self.time.clock() if self.attempt.plan.past else self.attempt.plan.window.start
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            sent = 0
            while sent < len(block):
                due = block.due_by(min(self._elapsed(began), self._limit())) - sent
                if due > 0:
                    yield {self._stream: await self._batch(block, sent, sent + due)}
                    sent += due
                    self._tell()
                elif self._is_stopped():
                    return
                else:
                    await self.time.sleep(TICK.total_seconds())

    def report(self) -> Mapping[str, Any]:
        """Say how far it came and what was refused."""
        found = self.progress()
        refused = self._refused.total()
        if not refused:
            return found
        warning = (
            f"{refused} lines of {self._replay.file} are no records; they are kept as lake/{self.quarantine.path}."
        )
        return {**found, "warnings": [warning]}

    def progress(self) -> Mapping[str, Any]:
        """Say which line was given last, and how many of how many (where that is known)."""
        refused = dict(self._refused.most_common(_NAMED_REASONS))
        found = {"file": self._replay.file, "line": self._line, "lines": self._done, "of": self._of, "refused": refused}
        return {"replay": found}

    @property
    def _replay(self) -> ReplayPlan:
        replay = self.attempt.plan.replay
        if replay is None:
            raise FeedRefused(f"Window {self.attempt.plan.window.id} has no recording in its plan.")
        return replay

    @property
    def _stream(self) -> str:
        return self.replayed.contract.partition("/")[0]

    def _take_up(self, resumed: Mapping[str, Any]) -> None:
        earlier = resumed.get("replay", {})
        self._line, self._done = earlier.get("line", 0), earlier.get("lines", 0)
        self._refused.update(earlier.get("refused", {}))

    def _blocks(self) -> Iterator[TimedLines]:
        """Open the file, and give the slice's lines that were not delivered yet, block by block, with their times."""
        file, contract = self.recording(), load_contract(self.replayed.contract)
        try:
            header = header_of(file.first_line(), contract.columns)
        except FeedRefused as problem:
            raise FeedRefused(f"{file.address} can't be replayed: {problem}.") from problem
        reader = LineReader(contract, header, self.replayed.time, self.replayed.blank_key)
        bounds = self._bounds(max(self._replay.first, header.lines + 1))
        self._of = bounds.lines
        base = first_time(file, reader, bounds.first) if self._replay.speed else 0
        return timed_blocks(file, reader, bounds, base, self._line + 1)

    async def _batch(self, block: TimedLines, start: int, stop: int) -> Records:
        """Give the records of some of a block's lines; the refused ones among them are kept first."""
        records, refused = block.between(start, stop)
        if refused:
            await asyncio.to_thread(self.quarantine.keep, refused)
        self._refused.update(line.reason for line in refused)
        self._line, self._done = block.number_of(stop - 1), self._done + stop - start
        reasons = Counter(line.reason for line in refused)
        return Records(records.lines, records.keys, tuple(Refusal(rows, reason) for reason, rows in reasons.items()))

    def _bounds(self, first: int) -> SliceLines:
        return bounds_of(self.attempt.plan, self._replay, self.attempt.part, first)

    def _elapsed(self, began: datetime) -> float:
        """Give the microseconds of the window that have passed; of a past one, as fast as it is caught up."""
        passed = microseconds(self.time.clock()) - microseconds(began)
        if not self.attempt.plan.past:
            return passed
        before = microseconds(self.attempt.part.start) - microseconds(self.attempt.plan.window.start)
        return before + passed * self.attempt.plan.speed

    async def _until(self, start: datetime) -> None:
        while (left := (start - self.time.clock()).total_seconds()) > 0 and not self._is_stopped():
            await self.time.sleep(min(left, _LONGEST_NAP))

    def _limit(self) -> float:
        """Give the microseconds of the window behind which a stop lets nothing be sent; a past slice ends at once."""
        stop_at = self.time.stop_at()
        if stop_at is None:
            return math.inf
        return -1 if self.attempt.plan.past else microseconds(stop_at) - microseconds(self.attempt.plan.window.start)

    def _is_stopped(self) -> bool:
        stop_at = self.time.stop_at()
        return stop_at is not None and (self.attempt.plan.past or stop_at <= self.time.clock())

    def _tell(self) -> None:
        """Log how far it is, now and then."""
        now = self.time.clock()
        if self._logged_at is None or now - self._logged_at >= _LOG_EVERY:
            self._logged_at = now
            telemetry.info(logger, "replay.progress", line=self._line, lines=self._done, of=self._of or "-")
