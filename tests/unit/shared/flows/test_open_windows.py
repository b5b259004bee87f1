from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.storage.fake import FakeLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan, PlanTemplate, StreamPlan
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import Window
from shared.errors import CorruptRow, FeedUnusable, LoginRefused, Unavailable
from shared.flows.open_windows import PlanFactory, claim_due_windows, start_windows

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HOURLY = Schedule("payments", every=HOUR, offset=timedelta(), length=HOUR, lead=timedelta(), catch_up=3 * HOUR)
STREAM = StreamPlan("transactions", "transactions", "transactions/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(5 * MINUTE, timedelta(), timedelta(), 100.0, 2.0, (), (STREAM,))
PLANS = PlanFactory({"payments": TEMPLATE}, lambda feed: f"pools of {feed}", lambda template: {"transactions": 10})


@pytest.fixture
def ledger():
    return FakeLedger()


def known(ledger, start, state="closed", **changes):
    row = WindowRow(Window("payments", start, start + HOUR), state, "timer", start, **changes)
    ledger.claim(row)
    return row


def tick(ledger, now):
    return claim_due_windows(ledger, PLANS, [HOURLY], now, MINUTE)


def test_a_due_window_is_claimed_with_its_frozen_plan(ledger):
    (row,) = tick(ledger, NOON - MINUTE + timedelta(seconds=1))

    plan = Plan.from_wire(dict(row.plan))
    assert ledger.window("payments-20261122T120000Z") == row
    assert (plan.fingerprint, plan.streams[0].partitions, plan.rate) == ("pools of payments", 10, 100.0)


def test_two_ticks_at_once_start_a_window_once(ledger):
    starts = tick(ledger, NOON - timedelta(seconds=30)) + tick(ledger, NOON - timedelta(seconds=30))

    assert [row.window.start for row in starts] == [NOON]


def test_missed_windows_queue_and_the_first_starts_at_once(ledger):
    known(ledger, NOON - 4 * HOUR)

    starts = tick(ledger, NOON + MINUTE)

    queued = [row.window.start for row in ledger.windows("payments") if row.queued]
    assert queued == [NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - HOUR]
    assert [row.window.start for row in starts] == [NOON - 3 * HOUR, NOON]


def test_a_window_behind_the_catch_up_is_recorded_with_the_reason(ledger):
    known(ledger, NOON - 6 * HOUR)

    tick(ledger, NOON)

    (first, *_) = ledger.windows("payments", states=("missed",))
    assert first.window.start == NOON - 5 * HOUR
    assert "_CATCH_UP" in first.reason


async def test_a_window_that_cannot_be_started_stays_planned_for_a_later_tick(ledger):
    orchestrations = FakeOrchestrations()
    rows = tick(ledger, NOON)
    orchestrations.failing.add(rows[0].window.id)

    await start_windows(rows, orchestrations)

    assert orchestrations.started == {}
    assert [row.window for row in tick(ledger, NOON + 2 * MINUTE)] == [rows[0].window]


async def test_what_is_started_carries_its_plan(ledger):
    orchestrations = FakeOrchestrations()
    (row,) = tick(ledger, NOON)

    await start_windows([row], orchestrations)

    assert orchestrations.started == {row.window.id: {"plan": dict(row.plan)}}


def test_a_feed_that_was_off_for_long_goes_on_from_its_newest_window(ledger):
    known(ledger, NOON - 100 * HOUR)

    tick(ledger, NOON)

    missed = ledger.windows("payments", states=("missed",))
    assert missed[0].window.start == NOON - 99 * HOUR


@pytest.mark.parametrize(
    "failure",
    [
        Unavailable("the hub is away"),
        FeedUnusable("the pool of feed trades can't be built"),
        LoginRefused("access denied"),
        CorruptRow("a row of another version"),
        KeyError("a fault in the feed's own code"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_feed_that_fails_does_not_keep_the_others_from_being_claimed(ledger, caplog, failure):
    broken = Schedule("trades", every=HOUR, offset=timedelta(), length=HOUR, lead=timedelta(), catch_up=HOUR)

    def fingerprint(feed):
        if feed == "trades":
            raise failure
        return ""

    plans = PlanFactory({"trades": TEMPLATE, "payments": TEMPLATE}, fingerprint, lambda template: {})

    rows = claim_due_windows(ledger, plans, [broken, HOURLY], NOON, MINUTE)

    assert [row.window.feed for row in rows] == ["payments"]
    assert any(record.message.startswith("feed.not_claimed feed=trades") for record in caplog.records)
