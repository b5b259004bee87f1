from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.plan import PlanTemplate, SliceAttempt, StreamPlan
from shared.domain.windows.window import Window
from shared.flows.drawn_slice import DrawnSlice
from tests.unit.shared.flows.drawn_fakes import NUMBERS, Time

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STREAM = StreamPlan("transactions", ("transactions",), "transactions/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(10 * SECOND, SECOND, timedelta(), 20.0, 2.0, (), (STREAM,))


async def run(time, *, claimed_at=NOON, rate=20.0, number=1):
    window = Window("payments", NOON, NOON + 30 * SECOND)
    plan = replace(TEMPLATE, rate=rate).freeze(window, claimed_at, "", {})
    source = DrawnSlice(SliceAttempt(plan, plan.slices()[number], 1), NUMBERS.draw, time.clock)
    batches = [batch["transactions"].lines.to_pylist() async for batch in source.batches()]
    return [int(line) for batch in batches for line in batch]


async def test_a_slice_gives_exactly_its_records_in_order():
    drawn = await run(Time(NOON + 9 * SECOND))

    assert drawn == list(range(200))


async def test_nothing_is_drawn_before_the_start_and_all_is_at_the_end():
    time = Time(NOON + 9 * SECOND)

    await run(time)

    assert NOON + 20 * SECOND <= time.now < NOON + 21 * SECOND


@pytest.mark.parametrize("late", [3, 9, 500])
async def test_what_is_overdue_is_drawn_at_once(late):
    time = Time(NOON + (10 + late) * SECOND)

    drawn = await run(time)

    assert drawn == list(range(200))
    assert time.now <= NOON + max(20.5, 10 + late) * SECOND


@given(hiccups=st.lists(st.floats(0, 5), max_size=6))
async def test_hiccups_change_nothing_but_the_time(hiccups):
    drawn = await run(Time(NOON + 10 * SECOND, hiccups))

    assert drawn == list(range(200))


async def test_a_past_window_goes_at_its_catch_up_rate():
    time = Time(NOON + 3600 * SECOND)

    drawn = await run(time, claimed_at=NOON + 3600 * SECOND)

    assert drawn == list(range(200))
    assert 5 * SECOND <= time.now - NOON - 3600 * SECOND <= 6 * SECOND


async def test_a_stop_ends_the_slice_at_its_time():
    time = Time(NOON + 10 * SECOND, stop_at=NOON + 14 * SECOND)

    drawn = await run(time)

    assert drawn == list(range(80))


async def test_a_stop_ends_a_past_slice_at_once():
    drawn = await run(Time(NOON + 3600 * SECOND, stop_at=NOON), claimed_at=NOON + 3600 * SECOND)

    assert drawn == []


async def test_it_never_sleeps_longer_than_a_second_so_that_a_stop_is_seen():
    time = Time(NOON + 10 * SECOND)

    await run(time, rate=0.1)

    assert max(time.slept) <= 1.0


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("rate", [0.001, 0.04, 0.07, 0.1, 0.3, 1.7])
async def test_however_low_the_rate_a_slice_ends_with_its_own_time(rate, number):
    time = Time(NOON + (10 * number) * SECOND)

    await run(time, rate=rate, number=number)

    assert time.now <= NOON + (10 * number + 10.5) * SECOND


async def test_a_past_slice_of_a_low_rate_takes_no_longer_than_its_length_by_the_catch_up_rate():
    time = Time(NOON + 3600 * SECOND)

    drawn = await run(time, claimed_at=NOON + 3600 * SECOND, rate=0.07)

    assert drawn == [0]
    assert time.now - NOON - 3600 * SECOND <= 5.5 * SECOND
