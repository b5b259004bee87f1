"""The app's orchestrators under the Durable extension's replay: what passes costs time and nothing else."""

import itertools
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulators.functions_host.durable.polling import Polling
from tests.replay.app import ORCHESTRATORS, PAST, PLAN, World
from tests.replay.task_hub import TaskHub
from tests.replay.worlds import Outage

SYSTEMS = ["hub", "ledger", "topic", "login"]
ID = PLAN.instance
LEG = f"{ID}-leg0"
SLICES = [f"{LEG}-slice{number}" for number in range(6)]
SEEDS = st.integers(0, 1000)
MOST_EVENTS = 200


def tasks_in(world, *, seed=0, polling=10.0, plan=PLAN):
    """Begin a window in `world`, on an idle task hub whose batches come in any order."""
    rolled = random.Random(seed)

    def order(batch):
        return rolled.sample(batch, len(batch))

    tasks = TaskHub(ORCHESTRATORS, world.play, Polling(polling, seed), shuffle=order)
    tasks.start("ingest_window", plan.instance, {"plan": plan.as_wire()})
    return tasks


def assert_whole(tasks, states=("done",)):
    """Hold that the window closed, each slice under its own number, and nothing failed, hangs or grew too long."""
    ended = tasks.ended()
    stopped = sum(one["state"] == "skipped" for one in ended[LEG].output)
    assert (tasks.failed(), tasks.unended()) == ({}, [])
    # The SDK speaks of a duplicate, and passes it over, where a timer fires in the batch whose stop cancelled it.
    assert tasks.duplicates <= stopped
    assert ended[ID].output["state"] == "closed"
    assert [one["slice"] for one in ended[LEG].output] == list(range(6))
    assert {one["state"] for one in ended[LEG].output} <= set(states)
    assert max(one.events for one in ended.values()) <= MOST_EVENTS


@pytest.mark.parametrize("away", SYSTEMS)
@pytest.mark.parametrize(("start", "length"), [(0, 240), (355, 60), (600, 1800)])
def test_whatever_is_away_for_up_to_half_an_hour_costs_time_and_nothing_else(away, start, length):
    with tasks_in(World(away, Outage(start, length)), seed=start) as tasks:
        tasks.run()

        assert_whole(tasks)


@settings(max_examples=15)
@given(st.sampled_from(SYSTEMS), st.integers(0, 360), st.integers(1, 180), SEEDS, st.sampled_from([0.0, 10.0, 30.0]))
def test_any_outage_at_any_moment_in_any_batches_costs_time_and_nothing_else(away, start, length, seed, polling):
    world = World(away, Outage(10 * start, 10 * length))
    with tasks_in(world, seed=seed, polling=polling) as tasks:
        tasks.run()

        assert_whole(tasks)


@settings(max_examples=10)
@given(st.integers(0, 190), SEEDS)
@example(3, 0)  # timer and stop come in one batch, the stop first
def test_a_stop_at_any_moment_ends_what_waits_and_lets_end_what_runs(moment, seed):
    with tasks_in(World(), seed=seed) as tasks:
        for name in SLICES:
            tasks.at(10 * moment, lambda name=name: tasks.raise_event(name, "stop"))
        tasks.run()

        assert_whole(tasks, ("done", "skipped"))


@settings(max_examples=10)
@given(st.integers(0, 190), st.sampled_from(["kill_host", "kill_worker"]), SEEDS)
def test_a_host_or_a_worker_that_dies_costs_time_and_nothing_else(moment, death, seed):
    with tasks_in(World(), seed=seed) as tasks:
        tasks.at(10 * moment, getattr(tasks, death))
        tasks.run()

        assert_whole(tasks)


@pytest.mark.parametrize("refused", [0, 3, 5])
def test_a_refused_slice_costs_itself_alone(refused):
    with tasks_in(World(refuses=refused)) as tasks:
        tasks.run()

        assert_whole(tasks, ("done", "refused"))
        assert [one["state"] for one in tasks.ended()[LEG].output].count("refused") == 1


@pytest.mark.parametrize("dying", [f"{ID}-opening", LEG, *SLICES[::5]])
@pytest.mark.parametrize("episode", [0, 1])
def test_a_child_whose_worker_dies_in_its_replay_ends_no_window(dying, episode):
    with tasks_in(World()) as tasks:
        tasks.dies = lambda instance, number: (instance, number) == (dying, episode)
        tasks.run()

        assert list(tasks.failed()) == [dying]
        assert tasks.ended()[ID].output["state"] == "closed"
        assert tasks.unended() == []


def test_slices_of_a_past_window_run_one_after_another():
    with tasks_in(World(), plan=PAST) as tasks:
        tasks.run()

        slices = [call for call in tasks.calls if call.name == "ingest_slice"]
        assert [call.given["slice"] for call in slices] == list(range(6))
        assert all(first.ended <= second.began for first, second in itertools.pairwise(slices))


@pytest.mark.parametrize("hours", [0.2, 24])
def test_a_run_that_is_followed_for_a_day_keeps_every_history_short(hours):
    world = World("databricks", Outage(500, 1800), run_ends=hours * 3600)
    with TaskHub(ORCHESTRATORS, world.play, Polling(10)) as tasks:
        tasks.start("enrich_window", f"enrich-{ID}", {"window_id": ID, "number": 1, "mode": "automatic"})
        tasks.run()

        ended = tasks.ended()
        assert (tasks.failed(), tasks.unended()) == ({}, [])
        assert ended[f"enrich-{ID}"].output["state"] == "succeeded"
        assert max(one.events for one in ended.values()) <= MOST_EVENTS
