import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clients.durable.fake import FakeOrchestrations
from shared.domain.runs.run import RunRow
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
    world.ledger.change(world.id(window), lambda row: replace(row, announced=announced))


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
