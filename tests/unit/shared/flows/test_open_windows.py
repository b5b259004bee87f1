from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan, PlanTemplate, StreamPlan
from shared.domain.windows.replay import ReplayPlan
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import Window
from shared.errors import CorruptRow, FeedUnusable, LoginRefused, Unavailable
from shared.flows.open_windows import PlanFactory, claim_due_windows, partitions_of, start_windows

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HOURLY = Schedule("payments", every=HOUR, offset=timedelta(), length=HOUR, lead=timedelta(), catch_up=3 * HOUR)
STREAM = StreamPlan("transactions", ("transactions",), "transactions/1", "row", "identity", 0)
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


def test_a_feed_that_was_away_for_30_hours_is_caught_up_though_a_window_was_opened_by_hand_first(ledger):
    schedule = replace(HOURLY, catch_up=24 * HOUR)
    known(ledger, NOON - 31 * HOUR)
    by_hand = WindowRow(Window("payments", NOON + 5 * MINUTE, NOON + 10 * MINUTE), "planned", "request", NOON)
    ledger.claim(by_hand)

    claim_due_windows(ledger, PLANS, [schedule], NOON - MINUTE, MINUTE)

    rows = [row for row in ledger.windows("payments") if row.origin == "timer"]
    assert Counter(row.state for row in rows) == {"closed": 1, "planned": 25, "missed": 5}
    assert rows[-1].window == Window("payments", NOON - HOUR, NOON)


def test_a_row_that_cannot_be_read_keeps_no_window_from_being_claimed(ledger, caplog):
    known(ledger, NOON - 2 * HOUR)
    for feed, key in (("payments", "20261122T110000Z"), ("trades", "10101T000000Z"), ("payments", "10101T000000Z")):
        ledger.tables.upsert("windows", {"PartitionKey": feed, "RowKey": key, "state": "planned"})

    starts = tick(ledger, NOON)

    assert [row.window.start for row in starts] == [NOON]
    assert any("key=windows/payments/20261122T110000Z" in record.message for record in caplog.records)


def test_windows_that_wait_are_started_though_no_plan_can_be_made_for_what_is_due(ledger):
    waiting = known(ledger, NOON - HOUR, "planned", queued=True)

    def away(feed):
        raise LoginRefused("access denied")

    plans = replace(PLANS, fingerprint=away)

    assert claim_due_windows(ledger, plans, [HOURLY], NOON, MINUTE) == [waiting]


def test_catching_up_opens_a_failed_window_again_where_the_settings_say_so(ledger):
    failed = known(ledger, NOON - 2 * HOUR, "failed", closed_at=NOON - HOUR)
    known(ledger, NOON - HOUR)

    unasked = claim_due_windows(ledger, PLANS, [HOURLY], NOON - MINUTE, timedelta())
    starts = claim_due_windows(ledger, PLANS, [replace(HOURLY, reingest=True)], NOON - MINUTE, timedelta())

    assert unasked == []
    assert [(row.window, row.attempt, row.queued) for row in starts] == [(failed.window, 2, True)]
    assert ledger.ended_attempts(failed.window.id) == [failed]


def test_what_plans_need_from_outside_is_asked_once_a_tick(ledger):
    known(ledger, NOON - 4 * HOUR)
    asked = []
    plans = replace(PLANS, partitions=lambda template: asked.append("hub") or {})

    claim_due_windows(ledger, plans, [HOURLY], NOON, MINUTE)

    assert asked == ["hub"]


def test_the_partitions_of_every_hub_that_packs_go_to_are_asked_for():
    packs = replace(STREAM, hubs=("a", "b"), packing="pack")
    template = replace(TEMPLATE, streams=(packs, STREAM))

    assert partitions_of(template, FakeEventHubs({"a": 4, "b": 10, "transactions": 2})) == {"a": 4, "b": 10}


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


def test_what_a_window_replays_is_frozen_into_its_plan_and_kept_by_its_next_attempts():
    replays = iter([ReplayPlan("file:///a.csv", "1", 0, 0, 0, 1), ReplayPlan("file:///b.csv", "2", 5, 0, 2, 1)])
    plans = replace(PLANS, replay=lambda feed, settings: next(replays))
    window = Window("payments", NOON, NOON + timedelta(hours=1))

    (row,) = plans.rows("payments", NOON, "timer", claim=[window])
    (again,) = plans.rows("payments", NOON, "request", reopen=[replace(row, state="failed")])

    assert Plan.from_wire(dict(row.plan)).replay == ReplayPlan("file:///a.csv", "1", 0, 0, 0, 1)
    assert Plan.from_wire(dict(again.plan)).replay == Plan.from_wire(dict(row.plan)).replay


def test_the_next_attempt_takes_the_file_that_was_put_in_the_place_of_a_damaged_one_and_the_same_lines():
    replays = iter([ReplayPlan("file:///a.csv", "1", 0, 0, 0, 1), ReplayPlan("file:///a.csv", "2", 5, 0, 2, 9)])
    plans = replace(PLANS, replay=lambda feed, settings: next(replays))
    window = Window("payments", NOON, NOON + timedelta(hours=1))
    (row,) = plans.rows("payments", NOON, "request", claim=[window])

    (again,) = plans.rows("payments", NOON, "request", reopen=[replace(row, state="failed")])

    assert Plan.from_wire(dict(again.plan)).replay == ReplayPlan("file:///a.csv", "2", 0, 0, 0, 1)
