import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clients.durable.fake import FakeOrchestrations
from shared.domain.runs.run import RunRow
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Window
from shared.errors import Unavailable
from shared.flows.enrich import claim_run
from shared.flows.request_runs import claim_rerun
from shared.flows.revive_runs import revive_runs
from tests.unit.shared.flows.test_enrich import NOON, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def orchestrations():
    return FakeOrchestrations()


def revive(world, orchestrations):
    return asyncio.run(revive_runs(world.tools, orchestrations))


def told(world, window=0):
    """Write that the opening of a window was published."""
    announced = {"opened": NOON.isoformat()}
    world.ledger.change(world.id(window), lambda row: replace(row, announced={**row.announced, **announced}))


def test_a_run_claimed_by_a_host_that_was_killed_before_it_started_is_started(world, orchestrations):
    world.close()
    claim_rerun(world.tools, world.id())
    world.now = NOON + 10 * MINUTE

    done = revive(world, orchestrations)

    payload = {"window_id": world.id(), "number": 1, "mode": "rerun"}
    assert orchestrations.started == {f"enrich-{world.id()}": payload}
    assert done == [f"Run 1 of window {world.id()} had no orchestration that lives; it was started again."]


@pytest.mark.parametrize("standing", ["completed", "failed", "gone"])
def test_a_run_whose_orchestration_is_gone_is_followed_again(world, orchestrations, standing):
    world.started()
    orchestrations.standings[f"enrich-{world.id()}"] = standing
    world.now = NOON + 10 * MINUTE

    revive(world, orchestrations)

    assert list(orchestrations.started) == [f"enrich-{world.id()}"]


def test_a_run_that_an_orchestration_carries_out_is_left_alone_also_where_it_is_a_later_try_of_it(
    world, orchestrations
):
    world.runs.claim(RunRow(world.windows[0], 2, "follow", "claimed", NOON, NOON))
    orchestrations.standings[f"enrich-{world.id()}"] = "alive"
    world.now = NOON + HOUR

    assert revive(world, orchestrations) == []


def test_a_run_that_was_written_a_moment_ago_is_left_alone(world, orchestrations):
    world.started()
    world.now = NOON + 9 * MINUTE

    assert revive(world, orchestrations) == []


def test_a_run_that_never_began_and_would_come_too_late_is_ended_with_the_reason(world, orchestrations):
    world.claimed()
    world.now = NOON + 25 * HOUR

    (did,) = revive(world, orchestrations)

    reason = "It was not started by 2026-11-23T13:00+00:00; now it is too late."
    assert did == f"Run 1 of window {world.id()} was ended as failed: {reason}"
    assert (world.run().state, world.run().message) == ("failed", reason)
    assert orchestrations.started == {}


def test_a_window_whose_opening_was_published_and_whose_run_nobody_claimed_gets_one(world, orchestrations):
    told(world)
    world.now = NOON + 10 * MINUTE

    done = revive(world, orchestrations)

    assert list(orchestrations.started) == [f"enrich-{world.id()}"]
    assert done == [f"Window {world.id()} had no run though its opening was published; one was started."]


@pytest.mark.parametrize("case", ["not published", "claimed", "being claimed", "long ago"])
def test_no_other_window_gets_one(world, orchestrations, case):
    if case != "not published":
        told(world)
    if case == "claimed":
        claim_run(world.tools, world.id(), 1, "follow")
        orchestrations.standings[f"enrich-{world.id()}"] = "alive"
    if case == "being claimed":
        orchestrations.standings[f"enrich-{world.id()}"] = "alive"
    world.now = NOON + (26 * HOUR if case == "long ago" else 10 * MINUTE)

    assert revive(world, orchestrations) == []
    assert orchestrations.started == {}


def test_a_feed_that_can_not_be_looked_at_costs_no_other(world, orchestrations):
    told(world, 3)
    world.now = NOON + 10 * MINUTE
    listed = world.runs.of_feed

    def of_feed(feed):
        if feed == "trades":
            raise Unavailable("away")
        return listed(feed)

    world.runs.of_feed = of_feed

    revive(world, orchestrations)

    assert list(orchestrations.started) == [f"enrich-{world.id(3)}"]


def ran(world, window=0, number=1, *, mode="follow", state="succeeded", claimed=NOON, ended=NOON):
    """Write a run that is over."""
    world.runs.claim(RunRow(world.windows[window], number, mode, state, claimed, ended, run_id=40 + number))


def drained(world, at, window=0):
    """Write that the spill of a window was drained, and let ten minutes pass."""
    row = {"drained": at.isoformat()}
    world.ledger.change(world.id(window), lambda current: replace(current, announced={**current.announced, **row}))
    world.now = at + 10 * MINUTE


def test_what_was_redriven_after_a_windows_last_run_is_read_by_another_one(world, orchestrations):
    ran(world, ended=NOON + HOUR)
    drained(world, NOON + 2 * HOUR)

    done = revive(world, orchestrations)

    payload = {"window_id": world.id(), "number": 2, "mode": "catch_up"}
    assert orchestrations.started == {f"enrich-{world.id()}-r2": payload}
    assert done == [f"The spill of window {world.id()} was drained after its run; another one was started."]


@pytest.mark.parametrize(
    "run",
    [
        {"ended": NOON + 3 * HOUR},
        {"window": 1, "claimed": NOON + 2 * HOUR},
        {"window": 2, "claimed": NOON + 3 * HOUR, "state": "failed"},
        {"number": 2, "mode": "catch_up", "claimed": NOON + 3 * HOUR, "state": "failed"},
    ],
)
def test_a_run_that_waited_for_the_spill_or_was_claimed_since_took_it_in(world, orchestrations, run):
    drained(world, NOON + 2 * HOUR)
    ran(world, **run)

    assert revive(world, orchestrations) == []


@pytest.mark.parametrize(
    "run",
    [
        {"ended": NOON + 3 * HOUR, "state": "failed"},
        {"ended": NOON + 3 * HOUR, "state": "superseded"},
        {"window": 1, "ended": NOON + 3 * HOUR},
        {"number": 1, "mode": "rerun", "claimed": NOON + 3 * HOUR, "ended": NOON + 3 * HOUR},
    ],
)
def test_a_run_that_gave_up_or_reads_no_hub_took_nothing_in(world, orchestrations, run):
    drained(world, NOON + 2 * HOUR)
    ran(world, **run)

    revive(world, orchestrations)

    assert [payload["mode"] for payload in orchestrations.started.values()] == ["catch_up"]


@pytest.mark.parametrize(("age", "is_caught_up"), [(3, True), (6, True), (8, False)])
def test_what_was_redriven_of_a_window_of_days_ago_is_read_once_by_another_run(
    world, orchestrations, age, is_caught_up
):
    old = Window("trades", NOON - timedelta(days=age), NOON - timedelta(days=age) + HOUR)
    plan = world.ledger.window(world.id()).plan
    world.ledger.claim(WindowRow(old, "closed", "timer", old.start, plan, announced={"drained": NOON.isoformat()}))
    world.now = NOON + 10 * MINUTE

    revive(world, orchestrations)

    assert list(orchestrations.started) == ([f"enrich-{old.id}"] if is_caught_up else [])
    world.runs.claim(RunRow(old, 1, "catch_up", "succeeded", world.now, world.now, run_id=41))
    orchestrations.started.clear()
    assert (revive(world, orchestrations), orchestrations.started) == ([], {})


def test_a_window_that_goes_to_cosmos_alone_gets_no_run_of_its_own_nor_for_its_spill(world, orchestrations):
    told(world)
    drained(world, NOON + 2 * HOUR)
    world.cosmos_alone()

    assert revive(world, orchestrations) == []
    assert orchestrations.started == {}


def test_of_several_windows_whose_spill_was_drained_one_run_reads_all(world, orchestrations):
    drained(world, NOON + 2 * HOUR, window=1)
    drained(world, NOON + 2 * HOUR, window=0)

    revive(world, orchestrations)
    (catch_up,) = orchestrations.started
    claim_run(world.tools, world.id(0), 1, "catch_up")
    world.runs.change(world.windows[0], 1, lambda run: replace(run, state="succeeded"))
    again = revive(world, orchestrations)

    assert (catch_up, again) == (f"enrich-{world.id(0)}", [])


@pytest.mark.parametrize("case", ["a moment ago", "long ago", "while a run is active"])
def test_what_was_redriven_is_left_to_runs_that_may_take_it_in(world, orchestrations, case):
    drained(world, NOON)
    if case == "while a run is active":
        claim_run(world.tools, world.id(1), 1, "follow")
        orchestrations.standings[f"enrich-{world.id(1)}"] = "alive"
    world.now = {"a moment ago": NOON + 9 * MINUTE, "long ago": NOON + 24 * HOUR}.get(case, world.now)

    assert revive(world, orchestrations) == []
    assert orchestrations.started == {}
