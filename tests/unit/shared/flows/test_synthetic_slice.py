from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.domain.windows.plan import PlanTemplate, SliceAttempt, StreamPlan
from shared.domain.windows.window import Window
from shared.errors import SendFailed
from shared.feeds.slicing import StreamCounts
from shared.flows.synthetic_slice import ingest_synthetic_slice
from tests.unit.shared.flows.synthetic_fakes import Numbers, Time

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STREAM = StreamPlan("transactions", "transactions", "transactions/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(10 * SECOND, SECOND, timedelta(), 20.0, 2.0, (), (STREAM,))


async def run(time, *, claimed_at=NOON, hubs=None, rate=20.0):
    window = Window("payments", NOON, NOON + 30 * SECOND)
    plan = replace(TEMPLATE, rate=rate).freeze(window, claimed_at, "", {})
    hubs, tally = hubs or FakeEventHubs({"transactions": 10}), StreamCounts()
    async with hubs.sender("transactions") as sender:
        order = SliceAttempt(plan, plan.slices()[1], 1)
        await ingest_synthetic_slice(order, feed=Numbers(), sender=sender, pace=time.pace, tally=tally)
    return [int(event.body) for event in hubs.received["transactions"]], tally


async def test_a_slice_sends_exactly_its_records_in_order():
    sent, tally = await run(Time(NOON + 9 * SECOND))

    assert sent == list(range(200))
    assert tally.as_wire() == {"read": 200, "accepted": 200, "refused": 0, "unknown": 0, "spilled": 0, "events": 200}


async def test_nothing_is_sent_before_the_start_and_all_is_at_the_end():
    time = Time(NOON + 9 * SECOND)

    await run(time)

    assert NOON + 20 * SECOND <= time.now < NOON + 21 * SECOND


@pytest.mark.parametrize("late", [3, 9, 500])
async def test_what_is_overdue_is_sent_at_once(late):
    time = Time(NOON + (10 + late) * SECOND)

    sent, _ = await run(time)

    assert sent == list(range(200))
    assert time.now <= NOON + max(20.5, 10 + late) * SECOND


@given(hiccups=st.lists(st.floats(0, 5), max_size=6))
async def test_hiccups_change_nothing_but_the_time(hiccups):
    sent, _ = await run(Time(NOON + 10 * SECOND, hiccups))

    assert sent == list(range(200))


async def test_a_past_window_goes_at_its_catch_up_rate():
    time = Time(NOON + 3600 * SECOND)

    sent, _ = await run(time, claimed_at=NOON + 3600 * SECOND)

    assert sent == list(range(200))
    assert 5 * SECOND <= time.now - NOON - 3600 * SECOND <= 6 * SECOND


async def test_a_stop_ends_the_slice_at_its_time():
    time = Time(NOON + 10 * SECOND, stop_at=NOON + 14 * SECOND)

    sent, _ = await run(time)

    assert sent == list(range(80))


async def test_a_stop_ends_a_past_slice_at_once():
    sent, _ = await run(Time(NOON + 3600 * SECOND, stop_at=NOON), claimed_at=NOON + 3600 * SECOND)

    assert sent == []


async def test_it_never_sleeps_longer_than_a_second_so_that_a_stop_is_seen():
    time = Time(NOON + 10 * SECOND)

    await run(time, rate=0.1)

    assert max(time.slept) <= 1.0


async def test_a_hub_that_takes_nothing_fails_the_slice():
    hubs = FakeEventHubs({"transactions": 10})
    hubs.fail_next("unavailable", 1)

    with pytest.raises(SendFailed):
        await run(Time(NOON + 10 * SECOND), hubs=hubs)
