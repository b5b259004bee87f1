import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.clients.databricks_jobs.fake import FakeJobs
from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeLedger, FakeReference, FakeRunLedger
from shared.domain.days import DailySchedule
from shared.domain.runs.run import ABANDONED, RunRow
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window
from shared.errors import Unavailable
from shared.flows.daily_gold import claim_daily_run, start_daily_runs
from shared.flows.enrich import EnrichmentTools, Job, claim_run, prepare_lookups, start_run
from shared.flows.lookups import LookupTools, dimension_makers
from shared.flows.request_runs import request_rerun
from shared.flows.revive_runs import revive_runs
from tests.unit.shared.flows.helpdesk import drawing, feed

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
SIX, MINUTE, HOUR = time(6), timedelta(minutes=1), timedelta(hours=1)
DUE = datetime(2026, 11, 27, 9, tzinfo=UTC)  # 06:00 in São Paulo
MIDNIGHT = datetime(2026, 11, 27, 3, tzinfo=UTC)
STREAM = StreamPlan("ura", "ura", "ura/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(10 * MINUTE, timedelta(), timedelta(), 1.0, 1.0, (), (STREAM,))


class World:
    """A feed with windows of ten minutes, its ledgers, and an orchestration host."""

    def __init__(self):
        self.now = DUE
        self.ledger, self.runs, self.orchestrations = FakeLedger(), FakeRunLedger(), FakeOrchestrations()
        self.jobs = FakeJobs({"follow_window": 11}, clock=lambda: self.now)
        self.reference = FakeReference(lambda: self.now)
        self.schedules = {"helpdesk": DailySchedule(SAO_PAULO, time(2), SIX)}
        self.jobs_of = {"helpdesk": Job("follow_window", ("dim_clientes",))}

    @property
    def tools(self):
        makers = dimension_makers(feed(), self.schedules["helpdesk"], drawing)
        return EnrichmentTools(
            ledger=self.ledger,
            runs=self.runs,
            jobs=self.jobs,
            hubs=FakeEventHubs({"ura": 1}),
            lookups=LookupTools(self.reference, makers),
            clock=lambda: self.now,
            jobs_of=self.jobs_of,
            drain_limit=10 * MINUTE,
            spill_kept=timedelta(days=7),
        )

    def window(self, start, state="closed", feed="helpdesk"):
        window = Window(feed, start, start + 10 * MINUTE)
        plan = TEMPLATE.freeze(window, start, "", {}).as_wire()
        self.ledger.claim(WindowRow(window, state, "timer", start, plan, closed_at=window.end))
        return window

    def tick(self, now=None):
        self.now = now or self.now
        asyncio.run(start_daily_runs(self.tools, self.schedules, self.orchestrations))
        return list(self.orchestrations.started)


@pytest.fixture
def world():
    return World()


def test_at_six_a_run_catches_up_in_the_name_of_the_newest_window_of_the_day_before(world):
    for start in (MIDNIGHT - HOUR, MIDNIGHT - 10 * MINUTE, MIDNIGHT):
        newest = world.window(start)
    yesterdays = Window("helpdesk", MIDNIGHT - 10 * MINUTE, MIDNIGHT)
    world.runs.claim(RunRow(yesterdays, 1, "follow", "succeeded", MIDNIGHT, MIDNIGHT, run_id=7))

    world.tick()

    payload = {"window_id": yesterdays.id, "number": 2, "mode": "catch_up"}
    assert world.orchestrations.started == {f"enrich-{yesterdays.id}-r2": payload}
    assert [run.state for run in world.runs.of_window(yesterdays)] == ["succeeded", "claimed"]
    assert world.runs.of_window(newest) == []


def test_before_six_nothing_is_started_for_the_day_before(world):
    world.window(MIDNIGHT - HOUR)

    assert world.tick(DUE - timedelta(seconds=1)) == []


@pytest.mark.parametrize("hours", [1, 17, 23])
def test_a_missed_tick_is_made_good_within_the_day(world, hours):
    window = world.window(MIDNIGHT - HOUR)

    assert world.tick(DUE + hours * HOUR) == [f"enrich-{window.id}"]


def test_a_day_has_one_run_however_it_ends_and_the_next_day_its_own(world):
    first = world.window(MIDNIGHT - HOUR)
    world.tick()
    world.runs.change(first, 1, lambda run: replace(run, state="failed"))
    world.orchestrations.standings[f"enrich-{first.id}"] = "completed"
    world.orchestrations.started.clear()
    second = world.window(MIDNIGHT + HOUR)

    again = [world.tick(DUE + hours * HOUR) for hours in (1, 12, 23)]
    next_day = world.tick(DUE + 24 * HOUR)

    assert (again, next_day) == ([[], [], []], [f"enrich-{second.id}"])


def test_of_two_instances_that_tick_at_once_one_claims_the_run(world):
    window = world.window(MIDNIGHT - HOUR)
    listed, claimed = world.runs.of_window, []

    def overtaken(of):
        rows = listed(of)
        if not claimed:
            claimed.append(None)
            claimed.append(claim_daily_run(world.tools, "helpdesk", world.schedules["helpdesk"]))
        return rows

    world.runs.of_window = overtaken
    ours = claim_daily_run(world.tools, "helpdesk", world.schedules["helpdesk"])

    assert (ours, claimed[1].number) == (None, 1)
    assert len(listed(window)) == 1


@pytest.mark.parametrize("state", ["planned", "open", "missed"])
def test_a_window_that_was_not_ingested_lends_its_name_to_none(world, state):
    before = world.window(MIDNIGHT - HOUR)
    world.window(MIDNIGHT - 10 * MINUTE, state)

    assert world.tick() == [f"enrich-{before.id}"]


def test_where_the_day_had_no_window_that_is_said_once_and_nothing_fails(world, caplog):
    world.window(MIDNIGHT - 25 * HOUR)

    with caplog.at_level(logging.INFO):
        started = [world.tick(DUE + minutes * MINUTE) for minutes in (0, 5, 10)]

    assert started == [[], [], []]
    assert [record.message for record in caplog.records] == ["daily_gold.no_window feed=helpdesk day=2026-11-26"]


def test_a_feed_whose_gold_is_not_asked_for_or_that_is_not_enriched_has_no_run(world):
    world.window(MIDNIGHT - HOUR)
    world.schedules = {"helpdesk": DailySchedule(SAO_PAULO, time(2), None)}
    asked_for_none = world.tick()
    world.schedules, world.jobs_of = {"helpdesk": DailySchedule(SAO_PAULO, time(2), SIX)}, {}

    assert (asked_for_none, world.tick()) == ([], [])
    assert world.runs.of_feed("helpdesk") == []


def test_a_feed_that_fails_is_named_and_costs_no_other(world, caplog):
    other = world.window(MIDNIGHT - HOUR, feed="shop")
    failing = world.window(MIDNIGHT - HOUR)
    world.jobs_of["shop"], world.schedules["shop"] = world.jobs_of["helpdesk"], world.schedules["helpdesk"]
    world.orchestrations.failing.add(f"enrich-{failing.id}")

    assert world.tick() == [f"enrich-{other.id}"]
    assert "daily_gold.not_started feed=helpdesk" in caplog.text


def test_a_run_that_was_claimed_and_not_started_is_started_by_housekeeping(world):
    window = world.window(MIDNIGHT - HOUR)
    world.orchestrations.failing.add(f"enrich-{window.id}")
    world.tick()
    world.orchestrations.failing.clear()
    world.now += ABANDONED

    asyncio.run(revive_runs(world.tools, world.orchestrations))

    payload = {"window_id": window.id, "number": 1, "mode": "catch_up"}
    assert world.orchestrations.started == {f"enrich-{window.id}": payload}
    assert world.tick() == [f"enrich-{window.id}"]


def test_the_run_is_started_in_databricks_with_the_lookups_of_the_day_that_it_is_for(world):
    window = world.window(MIDNIGHT - HOUR)
    world.tick()

    answer = claim_run(world.tools, window.id, 1, "catch_up")
    prepare_lookups(world.tools, window.id, 1)
    start_run(world.tools, window.id, 1)

    assert answer["proceed"]
    assert world.jobs.parameters[1]["mode"] == "catch_up"
    assert world.jobs.parameters[1]["lookups"] == '{"dim_clientes": "dim_clientes/20261126.parquet"}'


def test_a_run_that_is_asked_for_again_days_later_has_the_lookups_of_its_windows_day(world):
    windows = [world.window(MIDNIGHT - days * 24 * HOUR) for days in (3, 2)]

    for run_id, window in enumerate(windows, start=1):
        asyncio.run(request_rerun(world.tools, world.orchestrations, window.id))
        payload = world.orchestrations.started[f"enrich-{window.id}"]
        claim_run(world.tools, window.id, payload["number"], payload["mode"])
        prepare_lookups(world.tools, window.id, payload["number"])
        start_run(world.tools, window.id, payload["number"])
        world.jobs.become(run_id, "TERMINATED", "SUCCESS")

    given = [(run["mode"], json.loads(run["lookups"])) for run in world.jobs.parameters.values()]
    assert given == [
        ("rerun", {"dim_clientes": "dim_clientes/20261124.parquet"}),
        ("rerun", {"dim_clientes": "dim_clientes/20261125.parquet"}),
    ]
    first, second = (world.reference.read(lookups["dim_clientes"]) for _, lookups in given)
    assert first != second


def test_the_day_before_a_clock_change_is_found_by_its_own_midnight(world):
    """São Paulo's clock went from 00:00 to 01:00 on 4 November 2018: midnight was at 03:00 UTC, six at 08:00."""
    window = world.window(datetime(2018, 11, 4, 2, 50, tzinfo=UTC))
    world.window(datetime(2018, 11, 4, 3, tzinfo=UTC))

    early, due = world.tick(datetime(2018, 11, 4, 7, 59, tzinfo=UTC)), world.tick(datetime(2018, 11, 4, 8, tzinfo=UTC))

    assert (early, due) == ([], [f"enrich-{window.id}"])
    assert date(2018, 11, 3) == window.start.astimezone(SAO_PAULO).date()


def test_a_ledger_that_is_away_fails_no_tick(world, caplog):
    world.ledger.failure = Unavailable("The ledger did not answer.")

    assert world.tick() == []
    assert "daily_gold.not_started feed=helpdesk cause=The ledger did not answer." in caplog.text
