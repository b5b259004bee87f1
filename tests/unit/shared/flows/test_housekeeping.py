import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.event_grid.fake import FakeTopic
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeLedger, FakeReference, FakeRunLedger
from shared.clients.storage.fake_spill import FakeSpill
from shared.domain.runs.run import RunRow
from shared.domain.windows.housekeeping import MOST_RESTARTS
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Slice, Window
from shared.errors import Unavailable
from shared.flows.announce import WindowEvents, marker_path
from shared.flows.housekeeping import (
    ALERT_FOR,
    MOST_ALERTS,
    MOST_WINDOWS_PURGED,
    HousekeepingTools,
    Keep,
    end_or_restart_windows,
    housekeeping_steps,
    look_after,
)

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STREAM = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(5 * MINUTE, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (STREAM,))


class House:
    """All that housekeeping meets, with a clock that tests set."""

    def __init__(self):
        self.now, self.alerts, self.alert_failure = NOON, [], None
        self.ledger, self.runs = FakeLedger(), FakeRunLedger()
        self.written_at = None
        self.reference = FakeReference(lambda: self.written_at or self.now)
        self.orchestrations, self.topic = FakeOrchestrations(), FakeTopic()
        hubs, spill = FakeEventHubs({"trades": 2}), FakeSpill(lambda: self.now)
        events = WindowEvents(self.ledger, hubs, self.reference, spill, self.topic, lambda: self.now)
        self.tools = HousekeepingTools(
            runs=self.runs,
            events=events,
            alert=self._alert,
            feeds=("trades",),
            lookups=("assets",),
            keep=Keep(history=7 * DAY, ledger=90 * DAY, lookups=7 * DAY, markers=90 * DAY, spill=7 * DAY),
        )

    def _alert(self, row):
        if self.alert_failure:
            raise self.alert_failure
        self.alerts.append((row.window.id, row.reason))

    def open(self, start=NOON - HOUR, state="open", **changes):
        window = Window("trades", start, start + HOUR)
        plan = TEMPLATE.freeze(window, NOON, "", {}).as_wire()
        opened = start if state == "open" else None
        row = replace(WindowRow(window, state, "timer", start, plan, opened_at=opened), **changes)
        self.ledger.claim(row)
        return row

    def look(self):
        return asyncio.run(end_or_restart_windows(self.tools, self.orchestrations))

    def tidy(self, *names):
        steps = housekeeping_steps(self.tools, self.orchestrations)
        asyncio.run(look_after({name: steps[name] for name in names or steps}))


@pytest.fixture
def house():
    return House()


@pytest.mark.parametrize("state", ["planned", "open"])
@pytest.mark.parametrize("standing", ["failed", "gone", "completed"])
def test_a_window_whose_orchestration_is_gone_or_has_failed_is_started_again(house, state, standing):
    row = house.open(state=state)
    house.orchestrations.standings[row.instance] = standing

    (sentence,) = house.look()

    assert house.orchestrations.started == {row.instance: {"plan": dict(row.plan)}}
    assert house.ledger.window(row.window.id).restarts == 1
    assert f"its orchestration is {standing}" in sentence


def test_a_window_whose_orchestration_or_one_of_whose_slices_lives_is_left(house):
    whole, half = house.open(), house.open(NOON - 3 * HOUR)
    house.orchestrations.standings |= {whole.instance: "alive", half.instance: "failed"}
    house.orchestrations.standings[f"{half.instance}-leg0-slice7"] = "alive"

    assert house.look() == []
    assert house.orchestrations.started == {}


def test_a_window_that_restarts_do_not_help_is_ended_and_its_end_is_told(house):
    row = house.open()

    for _ in range(MOST_RESTARTS + 1):
        house.look()
        house.orchestrations.standings[row.instance] = "failed"

    ended = house.ledger.window(row.window.id)
    assert (ended.state, ended.closed_at) == ("failed", NOON)
    assert house.reference.read(marker_path(row.window.id)) is not None
    assert [event.id for event in house.topic.published] == [f"{row.window.id}/closed"]
    assert house.look() == []


def test_the_queue_goes_on_behind_a_window_whose_orchestration_is_gone(house):
    stuck = house.open(NOON - 3 * HOUR, queued=True, restarts=MOST_RESTARTS)
    waiting = house.open(NOON - 2 * HOUR, "planned", queued=True)

    house.look()
    house.look()

    assert house.ledger.window(stuck.window.id).state == "failed"
    assert list(house.orchestrations.started) == [waiting.instance]


def lost(house, hours, state="failed", **changes):
    """Put a window into the ledger that ended so many hours ago without being ingested."""
    start = NOON - (hours + 1) * HOUR
    return house.open(start, state, closed_at=NOON - hours * HOUR, reason="No such secret.", **changes)


def test_a_person_hears_once_of_each_window_that_failed_or_was_missed(house):
    failed, missed = lost(house, 1), lost(house, 3, "missed", plan={})
    for hours, state in enumerate(("closed", "incomplete", "stopped"), start=5):
        lost(house, hours, state)

    house.tidy("alerts")
    house.tidy("alerts")

    assert house.alerts == [(row.window.id, row.reason) for row in (missed, failed)]


def test_the_failure_of_a_windows_next_attempt_is_heard_of_too(house):
    row = lost(house, 1)
    house.tidy("alerts")
    house.ledger.change(row.window.id, lambda row: replace(row, attempt=2, announced={}))

    house.tidy("alerts")

    assert len(house.alerts) == 2


def test_while_the_database_is_away_an_alert_waits_but_not_for_ever(house, caplog):
    row = lost(house, 1)
    house.alert_failure = Unavailable("The database is away.")
    house.tidy("alerts")
    house.alert_failure = None

    house.tidy("alerts")
    heard = list(house.alerts)
    older = lost(house, ALERT_FOR // HOUR + 2)
    house.tidy("alerts")

    assert any("The database is away." in record.message for record in caplog.records)
    assert heard == house.alerts == [(row.window.id, row.reason)]
    assert house.ledger.window(older.window.id).announced == {}


def test_a_person_hears_of_a_window_whose_time_was_long_before_its_end(house):
    row = house.open(NOON - 30 * DAY, "failed", closed_at=NOON - HOUR, reason="No such secret.")

    house.tidy("alerts")

    assert house.alerts == [(row.window.id, row.reason)]


def test_a_lost_window_whose_plan_can_not_be_read_keeps_no_other_from_being_heard_of(house, caplog):
    odd, well = lost(house, 3), lost(house, 1)
    alert = house.tools.alert

    def failing(row):
        if row.window == odd.window:
            raise KeyError("streams")
        alert(row)

    house.tools = replace(house.tools, alert=failing)
    house.tidy("alerts")

    assert house.alerts == [(well.window.id, well.reason)]
    assert any("window.no_alert" in record.message and odd.window.id in record.message for record in caplog.records)


def test_many_lost_windows_are_alerted_of_some_at_a_time(house):
    for minutes in range(MOST_ALERTS + 1):
        window = Window("trades", NOON - (minutes + 1) * MINUTE, NOON - minutes * MINUTE)
        house.ledger.claim(WindowRow(window, "missed", "timer", NOON, closed_at=NOON))

    house.tidy("alerts")

    assert len(house.alerts) == MOST_ALERTS


def test_a_window_that_cannot_be_looked_at_costs_no_other(house):
    house.open(NOON - 5 * HOUR, plan={"of": "another version"})
    silent, well = house.open(NOON - 4 * HOUR), house.open(NOON - 3 * HOUR)
    house.orchestrations.failing.add(silent.instance)
    house.ledger.tables.upsert("windows", {"PartitionKey": "trades", "RowKey": "x", "state": "open"})

    house.look()

    assert list(house.orchestrations.started) == [well.instance]


def test_a_window_that_moved_on_meanwhile_is_not_started_again(house, monkeypatch):
    row = house.open()
    seen = house.ledger.active()
    house.ledger.change(row.window.id, lambda row: replace(row, state="closed"))
    monkeypatch.setattr(house.ledger, "active", lambda: seen)

    assert house.look() == []
    assert house.orchestrations.started == {}


@pytest.mark.parametrize("failure", [Unavailable("away"), KeyError("a fault")], ids=["away", "fault"])
def test_a_step_that_fails_costs_no_other(caplog, failure):
    done = []

    async def fail():
        raise failure

    async def work():
        done.append("worked")
        return ["A thing was done."]

    asyncio.run(look_after({"first": fail, "second": work}))

    assert done == ["worked"]
    events = [record.message.split()[0] for record in caplog.records]
    assert events == ["housekeeping.failed", "housekeeping.done"]


def test_old_history_of_the_task_hub_is_deleted(house):
    for name, age in (("old", 8 * DAY), ("alive", 8 * DAY), ("new", 6 * DAY)):
        house.orchestrations.standings[name] = "alive" if name == "alive" else "completed"
        house.orchestrations.created[name] = NOON - age

    house.tidy("history")

    assert set(house.orchestrations.standings) == {"alive", "new"}


def test_old_rows_are_deleted_some_at_a_time_but_never_the_timers_newest_window(house):
    first = NOON - 200 * DAY
    for number in range(MOST_WINDOWS_PURGED + 3):
        row = house.open(first + number * HOUR, "closed")
        house.ledger.begin_attempt(Slice(row.window.id, 0, first, first + HOUR), first)
        house.runs.claim(RunRow(row.window, 1, "follow", "succeeded", first, first))

    house.tidy("ledger")
    after_one = len(house.ledger.windows("trades"))
    house.tidy("ledger")

    assert after_one == 3
    assert house.ledger.windows("trades") == [row]
    assert len(house.runs.of_window(row.window)) == 1


def test_rows_that_are_young_enough_stay(house):
    rows = [house.open(NOON - 89 * DAY, "closed"), house.open(NOON - HOUR, "closed")]

    house.tidy("ledger")

    assert house.ledger.windows("trades") == rows


def test_old_lookups_and_markers_are_deleted_but_never_the_newest_lookup(house):
    for days, path in ((9, "assets/a"), (8, "assets/b"), (100, "windows/w/closed.json"), (80, "windows/v/closed.json")):
        house.written_at = NOON - days * DAY
        house.reference.write(path, b"")

    house.tidy("lookups", "markers")

    assert set(house.reference.blobs) == {"assets/b", "windows/v/closed.json"}


def test_files_of_old_days_are_deleted_and_the_newest_of_each_lookup_stays(house):
    house.tools = replace(house.tools, lookups=("dim_clientes", "dim_assistentes"))
    for days in (30, 20, 6):
        house.written_at = NOON - days * DAY
        house.reference.write(f"dim_clientes/{NOON - days * DAY:%Y%m%d}.parquet", b"")
    for days in (30, 20):
        house.written_at = NOON - days * DAY
        house.reference.write(f"dim_assistentes/{NOON - days * DAY:%Y%m%d}.parquet", b"")

    house.tidy("lookups")

    assert set(house.reference.blobs) == {"dim_clientes/20261116.parquet", "dim_assistentes/20261102.parquet"}
