from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.windows.plan import PlanTemplate, SliceAttempt, StreamPlan
from shared.domain.windows.window import Window
from shared.errors import FeedRefused
from shared.feeds.feed import Replayed
from shared.flows.replayed_slice import ReplayedSlice
from tests.unit.shared.flows.drawn_fakes import Time, numbers

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STREAM = StreamPlan("visits", ("visits",), "visits/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(10 * SECOND, SECOND, timedelta(), 0.0, 1.0, (), (STREAM,))
PLAN = TEMPLATE.freeze(Window("visits", NOON, NOON + 30 * SECOND), NOON, "", {})


def rows(content):
    """Read a recording of numbers, one batch a line."""
    for line in content.splitlines():
        yield {"visits": numbers(map(int, line.split()))}


RECORDING = Replayed("recordings/visits.txt", rows)


async def replay(number, time, content=b"1 2\n3\n4 5\n6\n7"):
    recordings = {RECORDING.path: content}
    source = ReplayedSlice(SliceAttempt(PLAN, PLAN.slices()[number], 1), RECORDING, recordings.get, time.clock)
    batches = [batch["visits"].lines.to_pylist() async for batch in source.batches()]
    return [[int(line) for line in batch] for batch in batches]


async def test_the_slices_of_a_window_give_each_batch_of_the_recording_once():
    replayed = [await replay(number, Time(NOON + 30 * SECOND)) for number in range(3)]

    assert replayed == [[[1, 2], [6]], [[3], [7]], [[4, 5]]]


async def test_a_second_try_gives_the_same_batches():
    assert await replay(1, Time(NOON + 30 * SECOND)) == await replay(1, Time(NOON + 50 * SECOND))


async def test_nothing_is_given_before_the_slices_start():
    time = Time(NOON)

    await replay(2, time)

    assert time.now == NOON + 20 * SECOND
    assert max(time.slept) <= 1.0


async def test_a_stop_before_the_start_ends_it_without_a_batch():
    time = Time(NOON, stop_at=NOON + 5 * SECOND)

    assert await replay(2, time) == []
    assert time.now < NOON + 7 * SECOND


async def test_a_recording_that_is_not_there_is_named_and_no_retry_is_asked_for():
    with pytest.raises(FeedRefused, match=r"recordings/visits.txt in the container reference"):
        await replay(0, Time(NOON + 30 * SECOND), content=None)
