"""Capture: copies what partitions hold into Avro files, by size or by time, whichever comes first.

The hub's event loop only picks references to events; decoding, encoding and the upload happen in a thread, one file at
a time, so that memory holds at most one file of `size` bytes besides the hub's own events.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from emulators.clocks import utc_now
from emulators.event_hubs.capture_files import CaptureUnavailable, FileSink, StoredEvent, avro_file, blob_path
from emulators.event_hubs.store import Partition, Store

_SECOND = timedelta(seconds=1)
_LONGEST_LOOK = 0.5
_FEW, _REST = 50, 2.0
_LONGEST_PAUSE = 15.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Capture:
    """When a file is cut (`size` in bytes of messages, `seconds`), where it goes, whether empty ones are written.

    `retry_seconds` is the first pause while storage is down; it doubles up to 15 s.
    """

    sink: FileSink
    size: int
    seconds: float
    skip_empty: bool = False
    retry_seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class Cut:
    """One file to write: the events with sequence numbers in `[first, end)`, and its path."""

    first: int
    end: int
    path: str


class Tail:
    """How far one partition has been captured; times are aware, and every file's second is its own.

    Files are named for the second in which their time window opens. Where several are cut in one second, the later
    ones are named for the next seconds; Azure's least window (60 s or 10 MB) hardly ever comes to that.
    """

    def __init__(self, hub: str, partition: Partition, now: datetime) -> None:
        self.partition = partition
        self.next_sequence = partition.begin_sequence
        self._hub = hub
        self._opened = now
        self._last_named = datetime.min.replace(tzinfo=UTC)
        self._cut: Cut | None = None
        self._end, self._filled = self.next_sequence, 0

    def cut(self, capture: Capture, now: datetime) -> Cut | None:
        """Say what to write now, if anything; the same again until `finish` says that it is written."""
        if self._cut is None:
            self._look_on(capture.size)
            if self._filled >= capture.size or (now - self._opened).total_seconds() >= capture.seconds:
                self._begin(now, skip_empty=capture.skip_empty)
        return self._cut

    def events(self, cut: Cut) -> list[StoredEvent]:
        """Pick the events of a cut that the hub still holds."""
        return list(takewhile(lambda event: event[0] < cut.end, self.partition.read(cut.first)))

    def finish(self, cut: Cut, now: datetime) -> None:
        """Go on behind a cut; the next window opens now."""
        self.next_sequence, self._opened, self._cut, self._filled = cut.end, now, None, 0

    def _begin(self, now: datetime, *, skip_empty: bool) -> None:
        if self._end == self.next_sequence and skip_empty:
            self._opened = now
            return
        self._last_named = max(self._opened.replace(microsecond=0), self._last_named + _SECOND)
        path = blob_path(self._hub, self.partition.id, self._last_named)
        self._cut = Cut(self.next_sequence, self._end, path)

    def _look_on(self, size: int) -> None:
        """Count the events that came since the last look, until a file is full; each event is counted once."""
        for sequence, _, raw in self.partition.read(self._end):
            if self._filled >= size:
                return
            self._end, self._filled = sequence + 1, self._filled + len(raw)


class Capturer:
    """Writes the files of all partitions, one after the other, and tries again while storage is down."""

    def __init__(self, store: Store, capture: Capture, clock: Callable[[], datetime]) -> None:
        self._capture = capture
        self._clock = clock
        self._epoch_offset = int(store.epoch.offset(0))
        self._tails = [Tail(hub, one, clock()) for hub, partitions in store.hubs.items() for one in partitions]
        self._pause = 0.0

    async def run(self) -> None:
        """Capture for as long as the task lives."""
        look = min(_LONGEST_LOOK, self._capture.seconds / 4)
        while True:
            for tail in self._tails:
                await self._advance(tail)
            await asyncio.sleep(look)

    async def _advance(self, tail: Tail) -> None:
        while cut := tail.cut(self._capture, self._clock()):
            events = tail.events(cut)
            if await self._is_written(cut, events):
                _report_lost(cut, events)
                tail.finish(cut, self._clock())

    async def _is_written(self, cut: Cut, events: list[StoredEvent]) -> bool:
        try:
            await asyncio.to_thread(self._write, cut.path, events)
        except CaptureUnavailable as error:
            self._pause = min(max(self._pause * 2, self._capture.retry_seconds), _LONGEST_PAUSE)
            logger.warning("capture.storage_down path=%s error=%s again_in=%.1f", cut.path, error, self._pause)
            await asyncio.sleep(self._pause)
            return False
        if self._pause:
            logger.info("capture.storage_back path=%s", cut.path)
        self._pause = 0.0
        logger.info("capture.written path=%s events=%d", cut.path, len(events))
        return True

    def _write(self, path: str, events: list[StoredEvent]) -> None:
        self._capture.sink.put(path, avro_file(_paced(events), self._epoch_offset))


@asynccontextmanager
async def capturing(store: Store, capture: Capture) -> AsyncIterator[None]:
    """Capture while the context lasts; what was not yet due at its end is not written."""
    task = asyncio.create_task(Capturer(store, capture, utc_now).run())
    task.add_done_callback(_report_failure)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _paced(events: list[StoredEvent]) -> Iterator[StoredEvent]:
    """Yield events, resting twice as long as each few of them took: threads share one interpreter with the hub."""
    for start in range(0, len(events), _FEW):
        began = time.thread_time()
        yield from events[start : start + _FEW]
        time.sleep(_REST * (time.thread_time() - began))


def _report_lost(cut: Cut, events: list[StoredEvent]) -> None:
    lost = cut.end - cut.first - len(events)
    if lost:
        logger.error("capture.events_lost path=%s lost=%d: retention dropped them before capture", cut.path, lost)


def _report_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.critical("capture.failed", exc_info=error)
