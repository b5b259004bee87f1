"""What flows record for Application Insights, where they know the outcome."""

from datetime import timedelta

import pytest

from shared.domain.windows.plan import PlanTemplate
from shared.domain.windows.schedule import Schedule
from shared.errors import Unavailable
from shared.flows.announce import announce_closing, announce_opening
from shared.flows.enrich import fail_run, follow_run
from shared.flows.open_windows import PlanFactory, claim_due_windows, record_tick
from shared.flows.request_windows import mark_stopped
from shared.signals.metrics import (
    ALERTS,
    ALERTS_PENDING,
    EVENTS_BILLED,
    RUN_DURATION,
    SEND_DURATION,
    SPILL_AGE,
    SPILL_RECORDS,
    VERDICTS,
    WAITING_AGE,
    WINDOWS,
    WINDOWS_ENDED,
)
from shared.signals.window_trace import root_id, trace_id, try_id
from tests.told import telling
from tests.unit.shared.flows import (
    test_destinations,
    test_enrich,
    test_housekeeping,
    test_measure,
    test_pending_alerts,
    test_spill_housekeeping,
)
from tests.unit.shared.flows.spill_fakes import MINUTE, events
from tests.unit.shared.flows.test_housekeeping import HOUR, NOON
from tests.unit.shared.flows.test_revive_runs import revive


@pytest.fixture
def told():
    with telling(feed={"trades", "payments"}, stream={"trades", "transactions"}) as kept:
        yield kept


@pytest.fixture
def house():
    return test_housekeeping.House()


def test_housekeeping_counts_the_windows_that_go_on_and_says_how_late_they_are(told, house):
    house.open(NOON - 2 * HOUR)
    house.open(NOON + HOUR, state="planned")
    house.look()

    assert told.of(WINDOWS, feed="trades", state="open") == 1
    assert told.of(WINDOWS, feed="trades", state="planned") == 1
    assert told.of(WAITING_AGE, feed="trades", stage="closing") == HOUR.total_seconds()
    assert told.of(WAITING_AGE, feed="trades", stage="opening") == 2 * HOUR.total_seconds()


def test_where_nothing_waits_every_age_is_nought(told, house):
    house.look()

    assert told.of(WINDOWS, feed="trades", state="open") == 0
    assert told.of(WAITING_AGE, feed="trades", stage="closing") == 0
    assert told.of(WAITING_AGE, feed="trades", stage="opening") == 0


def test_a_window_that_housekeeping_ends_is_counted_and_fails_its_trace(told, house):
    row = house.open(restarts=3)
    house.orchestrations.standings[row.instance] = "failed"
    house.look()

    assert told.of(WINDOWS_ENDED, feed="trades", state="failed") == 1
    (span,) = told.spans("window")
    assert (span.context.trace_id, span.context.span_id) == (trace_id(row.window.id), root_id(row.window.id))
    assert (span.parent, span.status.is_ok) == (None, False)


def test_a_window_that_a_request_stops_before_its_time_is_counted_once(told, house):
    row = house.open(NOON + HOUR, state="planned")
    mark_stopped(house.ledger, row.window.id, NOON)
    mark_stopped(house.ledger, row.window.id, NOON + MINUTE)

    assert told.of(WINDOWS_ENDED, feed="trades", state="stopped") == 1


def test_missed_windows_are_counted_once_and_a_tick_is_told_in_the_trace_of_each_window_that_it_starts(told, house):
    template = PlanTemplate(
        HOUR, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (test_housekeeping.STREAM,)
    )
    plans = PlanFactory({"trades": template}, lambda _: "", lambda _: {})
    schedule = Schedule("trades", HOUR, timedelta(), HOUR, MINUTE, catch_up=2 * HOUR)
    house.open(NOON - 10 * HOUR, state="closed")
    for _ in range(2):
        rows = claim_due_windows(house.ledger, plans, [schedule], NOON, MINUTE)
    record_tick(rows, NOON, NOON + MINUTE)

    missed = [row for row in house.ledger.windows("trades") if row.state == "missed"]
    assert len(missed) > 1
    assert told.of(WINDOWS_ENDED, feed="trades", state="missed") == len(missed)
    assert [span.attributes["window"] for span in told.spans("tick")] == [row.window.id for row in rows]


def test_publishing_an_opening_and_an_ending_is_told_below_the_window(told, house):
    row = house.open()
    announce_opening(house.tools.events, row.window.id)
    announce_opening(house.tools.events, row.window.id)
    announce_closing(house.tools.events, row.window.id)

    assert [span.name for span in told.spans()] == ["opening", "closing"]
    assert {span.parent.span_id for span in told.spans()} == {root_id(row.window.id)}


def test_a_runs_end_is_recorded_once_with_its_page(told):
    world = test_enrich.World()
    run_id = world.started().run_id
    follow_run(world.tools, world.id(), 1)
    world.now = NOON + HOUR
    world.jobs.become(run_id, "TERMINATED", "SUCCESS")
    for _ in range(2):
        follow_run(world.tools, world.id(), 1)

    (span,) = told.spans("run")
    assert told.of(RUN_DURATION, feed="trades", state="succeeded") == HOUR.total_seconds()
    assert (span.attributes["run"], span.attributes["url"]) == (run_id, world.run().page_url)


def test_a_run_that_is_given_up_is_recorded_with_the_reason(told):
    world = test_enrich.World()
    world.claimed()
    world.now = NOON + HOUR
    for _ in range(2):
        fail_run(world.tools, world.id(), 1, "No job of that name.")

    (span,) = told.spans("run")
    assert told.of(RUN_DURATION, feed="trades", state="failed") == HOUR.total_seconds()
    assert (span.status.is_ok, span.attributes["reason"]) == (False, "No job of that name.")


def test_housekeeping_says_how_late_runs_are(told):
    world = test_enrich.World()
    world.started()
    world.claimed(1)
    world.now = NOON + 3 * HOUR
    revive(world, test_enrich.FakeOrchestrations())

    assert told.of(WAITING_AGE, feed="trades", stage="enrichment") == 3 * HOUR.total_seconds()
    assert told.of(WAITING_AGE, feed="trades", stage="measurement") == (2 * HOUR - 10 * MINUTE).total_seconds()
    assert told.of(WAITING_AGE, feed="payments", stage="enrichment") == 0


def test_a_measurement_is_recorded_once_and_a_mail_of_it_is_told_in_the_trace(told):
    world = test_measure.World()
    request = world.request(0, 5)
    for _ in range(2):
        test_measure.measure(world.tools, request)

    assert told.of(VERDICTS, feed="trades", verdict="low") == 1
    assert told.of(ALERTS, kind="alert", outcome="sent") == 1
    assert {span.name: span.context.trace_id for span in told.spans()} == dict.fromkeys(
        ("measurement", "mail"), trace_id(request.window_id)
    )


def test_alerts_that_are_put_off_or_have_nobody_to_go_to_are_recorded_and_what_is_pending_stands_there(told):
    world = test_pending_alerts.World()
    world.tick()
    assert told.of(ALERTS_PENDING) == 0

    world.sender.failures.append(Unavailable("away"))
    world.fail()
    assert told.of(ALERTS, kind="run_failed", outcome="put_off") == 1

    world.tick(seconds=1)
    assert told.of(ALERTS_PENDING) == 1


async def test_what_waits_in_the_spill_is_recorded_by_stream(told):
    house = test_spill_housekeeping.House()
    house.keep(0, events("a", "b"))
    house.now += HOUR
    await house.look()

    assert told.of(SPILL_RECORDS, stream="transactions") == 0
    assert told.of(SPILL_RECORDS, stream="other") == sum(event.rows for event in events("a", "b"))
    assert told.of(SPILL_AGE, stream="other") == HOUR.total_seconds()


async def test_a_send_is_timed_and_told_below_its_try(told):
    await test_destinations.World().send("hub")

    assert told.of(EVENTS_BILLED, stream="trades") == 1
    assert told.of(SEND_DURATION, stream="trades", sink="hub") >= 0
    (span,) = told.spans("send")
    assert span.parent.span_id == try_id(test_destinations.ATTEMPT)
    assert (span.attributes["sink"], span.attributes["slice"], span.attributes["attempt"]) == ("hub", 3, 1)


@pytest.mark.parametrize(("destination", "sink"), [("sql", "sql"), ("lake_ndjson", "lake")])
async def test_each_kind_of_destination_has_its_own_series(told, destination, sink):
    await test_destinations.World().send(destination)

    assert told.of(SEND_DURATION, stream="trades", sink=sink) >= 0
    assert "ingestion.events.billed" not in told.series()
