import asyncio
import io
import logging
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import fastavro
import pytest
from proton import Message

from emulators.event_hubs.capture import Capture, Capturer, Tail
from emulators.event_hubs.capture_files import CaptureUnavailable
from emulators.event_hubs.store import Store

START = datetime(2026, 11, 22, 10, 0, 0, 400_000, UTC)
LATER = START + timedelta(seconds=60)
EVENT = Message(body=b"0123456789", inferred=True).encode()


class ListSink:
    """Keeps the sequence numbers of each file; refuses the first `refusals`, is `done` with `wanted` events."""

    def __init__(self, wanted=0, refusals=0):
        self.files = {}
        self.wanted = wanted
        self.refusals = refusals
        self.refused, self.done = threading.Event(), threading.Event()

    def put(self, path, content):
        if self.refusals:
            self.refusals -= 1
            self.refused.set()
            raise CaptureUnavailable("down")
        self.files[path] = [row["SequenceNumber"] for row in fastavro.reader(io.BytesIO(content))]
        if len(self.numbers()) >= self.wanted:
            self.done.set()

    def numbers(self):
        return [number for found in self.files.values() for number in found]


@pytest.fixture
def store():
    return Store({"trades": 1}, retention_bytes=10**6, started=START)


@pytest.fixture
def partition(store):
    return store.hubs["trades"][0]


def tail_of(partition):
    return Tail("trades", partition, START)


def capture(sink=None, size=10**6, seconds=60.0, skip_empty=False):
    return Capture(sink or ListSink(), size, seconds, skip_empty, retry_seconds=0.05)


def test_nothing_is_cut_before_size_or_time(store, partition):
    tail = tail_of(partition)
    store.append(partition, [EVENT], START)

    assert tail.cut(capture(), START + timedelta(seconds=59)) is None


def test_time_cuts_what_there_is_and_names_it_for_the_start_of_the_window(store, partition):
    tail = tail_of(partition)
    store.append(partition, [EVENT] * 3, START)

    cut = tail.cut(capture(), LATER)

    assert (cut.first, cut.end, cut.path) == (0, 3, "local/trades/0/2026/11/22/10/00/00.avro")


def test_size_cuts_at_the_event_that_fills_the_file(store, partition):
    tail = tail_of(partition)
    store.append(partition, [EVENT] * 5, START)

    cut = tail.cut(capture(size=2 * len(EVENT)), START)

    assert (cut.first, cut.end) == (0, 2)


def test_a_cut_stays_the_same_until_it_is_written(store, partition):
    tail = tail_of(partition)
    store.append(partition, [EVENT], START)
    first = tail.cut(capture(), LATER)

    store.append(partition, [EVENT], LATER)

    assert tail.cut(capture(), LATER + timedelta(hours=1)) == first
    assert len(tail.events(first)) == 1


def test_files_of_one_second_have_names_of_their_own(store, partition):
    tail = tail_of(partition)
    store.append(partition, [EVENT] * 3, START)
    paths = []
    for _ in range(3):
        cut = tail.cut(capture(size=1), START)
        tail.finish(cut, START)
        paths.append(cut.path[-11:])

    assert paths == ["/00/00.avro", "/00/01.avro", "/00/02.avro"]


def test_a_window_without_events_gives_an_empty_file_unless_empty_ones_are_skipped(partition):
    assert tail_of(partition).cut(capture(), LATER).end == 0
    assert tail_of(partition).cut(capture(skip_empty=True), LATER) is None


@asynccontextmanager
async def capturing_into(sink, store, **options):
    """Capture until the sink is done."""
    capturer = Capturer(store, capture(sink, seconds=0.02, skip_empty=True, **options), lambda: datetime.now(UTC))
    task = asyncio.create_task(capturer.run())
    yield
    assert await asyncio.to_thread(sink.done.wait, 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_every_event_is_captured_once_and_in_order(store, partition):
    sink = ListSink(wanted=10)
    store.append(partition, [EVENT] * 10, START)

    async with capturing_into(sink, store, size=3 * len(EVENT)):
        pass

    assert [len(found) for found in sink.files.values()] == [3, 3, 3, 1]
    assert sink.numbers() == list(range(10))


async def test_while_storage_is_down_events_wait_and_the_log_says_so(store, partition, caplog):
    caplog.set_level(logging.INFO)
    sink = ListSink(wanted=2, refusals=2)
    store.append(partition, [EVENT] * 2, START)

    async with capturing_into(sink, store):
        pass

    assert list(sink.files.values()) == [[0, 1]]
    assert "capture.storage_down" in caplog.text


async def test_events_that_retention_drops_before_capture_are_counted_in_the_log(caplog):
    store = Store({"trades": 1}, retention_bytes=64 * 200, started=START)
    (partition,) = store.hubs["trades"]
    sink = ListSink(wanted=5, refusals=1)
    store.append(partition, [EVENT] * 4, START)

    async with capturing_into(sink, store):
        assert await asyncio.to_thread(sink.refused.wait, 5)
        for _ in range(400):
            store.append(partition, [EVENT], START)

    assert "lost=4" in caplog.text
