import asyncio
import json
import logging
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given as when
from hypothesis import strategies as st

from shared.clients.recordings import blocks, index
from shared.clients.recordings.blocks import RecordingFile
from shared.clients.recordings.index import LineIndex
from shared.domain.windows.plan import PlanTemplate, SliceAttempt, StreamPlan
from shared.domain.windows.replay import ReplayPlan
from shared.domain.windows.window import Window
from shared.errors import FeedRefused
from shared.feeds.payments.feed import FEED
from shared.flows.replayed_slice import ReplayedSlice
from tests.unit.shared.feeds.replaying.recorded_payments import HEADER, line_of
from tests.unit.shared.flows.drawn_fakes import Time

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STREAM = StreamPlan("transactions", "transactions", "transactions/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(10 * SECOND, SECOND, timedelta(), 2.0, 2.0, (), (STREAM,))
REPLAY = ReplayPlan("file:///payments.csv", "1", lead=0, run=0, speed=0, first=1)
LATER = NOON + 3600 * SECOND


class KeptLines:
    """A quarantine that holds what it is given."""

    path = "quarantine/lines.ndjson"

    def __init__(self):
        self.lines = []

    def keep(self, lines):
        self.lines += [(line.number, line.reason) for line in lines]


class Watched(RecordingFile):
    """A file that remembers from which lines on it was read."""

    asked: ClassVar[list[int]] = []

    def blocks(self, line):
        self.asked.append(line)
        return super().blocks(line)


class Recorded:
    """A recording of so many payments, a second of their own time apart, and what its slices gave."""

    def __init__(self, folder, count=100, bad=(), header=HEADER + b"\n"):
        self.path = folder / "payments.csv"
        lines = [self.line(number, number in bad) for number in range(count)]
        self.path.write_bytes(header + b"".join(lines))
        self.file = RecordingFile(self.path, "file:///payments.csv", LineIndex(folder / "index"))
        self.quarantine = KeptLines()

    def fresh(self):
        """Open the file as another worker does, which knows what was kept of it."""
        self.file = Watched(self.path, "file:///payments.csv", LineIndex.read(self.file.index.path))
        return self

    def unread(self):
        """Open the file as a worker does that knows nothing of it."""
        for kept in self.path.parent.glob("index*"):
            kept.unlink()
        return self.fresh()

    def line(self, number, is_bad):
        at = (datetime(2013, 4, 1, tzinfo=UTC) + number * SECOND).isoformat()
        return line_of(transactionID=str(number), transactionDateTime=at, localHour="x" if is_bad else "3")

    def source(self, number, time, *, claimed_at=NOON, resumed=None, slice_length=10 * SECOND, **replay):
        template = replace(TEMPLATE, slice_length=slice_length)
        plan = template.freeze(Window("payments", NOON, NOON + 30 * SECOND), claimed_at, "", {})
        plan = replace(plan, replay=replace(REPLAY, **replay))
        attempt = SliceAttempt(plan, plan.slices()[number], 1, resumed or {})
        return ReplayedSlice(attempt, FEED.replay, lambda: self.file, self.quarantine, time.clock)

    def ids(self, number, time=None, **replay):
        source = self.source(number, time or Time(NOON + 30 * SECOND), **replay)
        return asyncio.run(given(source))


async def given(source):
    batches = [batch["transactions"].lines.to_pylist() async for batch in source.batches()]
    return [int(json.loads(line)["transactionID"]) for batch in batches for line in batch]


@pytest.fixture
def recorded(tmp_path):
    return Recorded(tmp_path)


def test_by_rate_the_slices_of_a_window_give_the_lines_from_the_first_on_each_once(recorded):
    assert [recorded.ids(number) for number in range(3)] == [[*range(20)], [*range(20, 40)], [*range(40, 60)]]


def test_the_lead_and_the_time_to_run_bound_what_a_window_sends(recorded):
    found = [recorded.ids(number, lead=4, run=10) for number in range(3)]

    assert found == [[*range(12)], [*range(12, 20)], []]


def test_by_own_times_a_line_is_due_as_its_time_says(recorded):
    found = [recorded.ids(number, speed=2) for number in range(3)]

    assert found == [[*range(20)], [*range(20, 40)], [*range(40, 60)]]


def test_by_own_times_lead_and_time_to_run_count_too(recorded):
    assert [recorded.ids(number, speed=1, lead=5, run=7) for number in range(3)] == [[*range(5)], [5, 6], []]


def test_a_line_earlier_than_the_one_before_it_is_sent_with_that_one(tmp_path):
    recorded = Recorded(tmp_path, 3)
    recorded.path.write_bytes(HEADER + b"\n" + b"".join(recorded.line(number, False) for number in (5, 2, 12, 3)))

    assert [recorded.ids(number, speed=1) for number in range(3)] == [[5, 2, 12, 3], [], []]


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_BLOCK", 1000)  # some four lines
    monkeypatch.setattr(index, "_LINES", 5)


@pytest.mark.usefixtures("small_blocks")
def test_by_own_times_a_slice_begins_to_read_where_earlier_ones_noted_that_it_is_not_due_yet(recorded):
    for number in range(2):
        recorded.ids(number, speed=2)
    Watched.asked.clear()

    found = recorded.fresh().ids(2, speed=2)

    assert found == [*range(40, 60)]
    assert 30 < max(Watched.asked) <= 42  # line 42 has payment 40


@pytest.mark.usefixtures("small_blocks")
@when(st.lists(st.integers(0, 29), min_size=1, max_size=60))
def test_by_own_times_in_any_order_the_slices_give_the_same_whatever_was_noted_before(seconds):
    with tempfile.TemporaryDirectory() as folder:
        recorded = Recorded(Path(folder), 0)
        recorded.path.write_bytes(HEADER + b"\n" + b"".join(recorded.line(number, False) for number in seconds))
        unread = [recorded.unread().ids(number, speed=1) for number in range(3)]

        noted = [recorded.fresh().ids(number, speed=1) for number in (0, 1, 2, 2, 1, 0)]

    assert noted == [*unread, *reversed(unread)]
    assert [*chain(*unread)] == seconds


def test_progress_is_logged_at_once_and_every_ten_seconds(recorded, caplog):
    source = recorded.source(0, Time(NOON), slice_length=30 * SECOND)

    with caplog.at_level(logging.INFO):
        asyncio.run(given(source))

    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("replay.progress")]
    assert told == [f"replay.progress line={lines + 1} lines={lines} of=60" for lines in (1, 21, 41)]


def test_a_window_begins_at_the_line_that_its_plan_says(recorded):
    assert recorded.ids(0, first=42)[:2] == [40, 41]  # line 1 is the header


def test_a_file_without_a_header_begins_with_its_first_line(tmp_path):
    assert Recorded(tmp_path, header=b"\xef\xbb\xbf").ids(0)[:2] == [0, 1]


@pytest.mark.parametrize("speed", [0, 2])
def test_nothing_is_given_before_it_is_due(recorded, speed):
    time = Time(NOON)

    recorded.ids(1, time, speed=speed)

    assert NOON + 19 * SECOND <= time.now <= NOON + 21 * SECOND
    assert max(time.slept) <= 1.0


def test_a_past_window_goes_at_its_catch_up_rate(recorded):
    time = Time(LATER)

    assert recorded.ids(1, time, claimed_at=LATER) == [*range(20, 40)]
    assert 4 * SECOND <= time.now - LATER <= 6 * SECOND


def test_a_stop_ends_it_at_its_time(recorded):
    assert recorded.ids(0, Time(NOON, stop_at=NOON + 4 * SECOND)) == [*range(8)]


@pytest.mark.parametrize("speed", [0, 2])
def test_refused_lines_are_counted_kept_and_named_with_their_lines_and_the_others_go_on(tmp_path, speed):
    recorded = Recorded(tmp_path, bad=(3, 4, 19))
    source = recorded.source(0, Time(NOON + 30 * SECOND), speed=speed)

    async def counted():
        batches = [batch["transactions"] async for batch in source.batches()]
        return sum(map(len, batches)), sum(one.rows for batch in batches for one in batch.refusals)

    assert asyncio.run(counted()) == (17, 3)
    assert recorded.quarantine.lines == [(line, "localHour is no whole number") for line in (5, 6, 21)]
    assert source.report()["replay"]["refused"] == {"localHour is no whole number": 3}
    assert source.report()["replay"] | {"refused": 0} == {
        "file": "file:///payments.csv", "line": 21, "lines": 20, "of": None if speed else 20, "refused": 0,
    }  # fmt: skip
    assert "lake/quarantine/lines.ndjson" in source.report()["warnings"][0]


@pytest.mark.parametrize("speed", [0, 2])
def test_a_try_that_goes_on_begins_at_the_line_after_the_last_one_delivered(tmp_path, speed):
    recorded = Recorded(tmp_path, bad=(3,))
    source = recorded.source(0, Time(NOON), speed=speed)

    async def broken_off():
        async for batch in source.batches():
            if len(batch["transactions"]) and source.progress()["replay"]["lines"] > 6:
                return source.progress()
        return None

    progress = asyncio.run(broken_off())
    rest = recorded.ids(0, resumed=progress, speed=speed)

    assert rest == [*range(progress["replay"]["line"] - 1, 20)]
    assert 6 < progress["replay"]["lines"] < 20


@pytest.mark.parametrize("speed", [0, 1])
def test_a_line_of_ten_million_bytes_is_refused_by_its_number_and_costs_no_other_line(tmp_path, speed):
    recorded = Recorded(tmp_path)
    header, *lines = recorded.path.read_bytes().splitlines(keepends=True)
    recorded.path.write_bytes(b"".join([header, *lines[:3], b"x" * 10_000_000 + b"\n", *lines[3:]]))

    by_rate, by_own_times = list(range(19)), list(range(10))
    assert recorded.ids(0, speed=speed) == (by_own_times if speed else by_rate)
    assert recorded.quarantine.lines == [(5, "it is longer than a line may be")]


def test_a_file_that_is_no_recording_of_the_contract_is_refused_by_name(tmp_path):
    recorded = Recorded(tmp_path, header=HEADER.replace(b",accountAge", b"") + b"\n")

    with pytest.raises(FeedRefused, match=r"payments.csv can't be replayed: its header lacks column accountAge"):
        recorded.ids(0)
