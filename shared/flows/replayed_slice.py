"""The source of a replayed feed's slice: its part of a recording, from the slice's start on."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from shared.domain.windows.plan import SliceAttempt
from shared.errors import FeedRefused
from shared.feeds.feed import Replayed
from shared.feeds.slicing import SliceClock, StreamRecords

_LONGEST_NAP = 1.0


@dataclass(frozen=True, slots=True)
class ReplayedSlice:
    """Gives every m-th batch of the recording, where a window has m slices: together they give each batch once.

    read: gives the content of a blob by its path, None where there is none.
    """

    attempt: SliceAttempt
    recording: Replayed
    read: Callable[[str], bytes | None]
    time: SliceClock

    async def batches(self) -> AsyncGenerator[StreamRecords]:
        """Wait for the slice's start, then give its batches; raises FeedRefused where there is no recording."""
        await self._until_start()
        content = await asyncio.to_thread(self.read, self.recording.path)
        if content is None:
            raise FeedRefused(f"There is no recording {self.recording.path} in the container reference.")
        for batch in self._own(self.recording.rows(content)):
            if self._is_stopped():
                return
            yield batch

    def report(self) -> Mapping[str, Any]:
        """Say nothing: what was read is what was counted."""
        return {}

    def _own(self, batches: Iterator[StreamRecords]) -> Iterator[StreamRecords]:
        return islice(batches, self.attempt.part.number, None, len(self.attempt.plan.slices()))

    async def _until_start(self) -> None:
        while (left := (self.attempt.part.start - self.time.clock()).total_seconds()) > 0 and not self._is_stopped():
            await self.time.sleep(min(left, _LONGEST_NAP))

    def _is_stopped(self) -> bool:
        stop_at = self.time.stop_at()
        return stop_at is not None and stop_at <= self.time.clock()
