"""The shape that held under Microsoft's extension holds here, whatever is away and whatever arrives together."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.functions_host.durable.polling import Polling
from tests.replay.holding_shape import ORCHESTRATORS
from tests.replay.task_hub import START, Played, TaskHub
from tests.replay.worlds import NOTHING, Outage, window

WINDOW = "trades-20261101T000010Z"
SLICES = [f"{WINDOW}-s{number}" for number in range(4)]
STATES = [{"slice": number, "state": "done"} for number in range(4)]


def tasks_of(*, hub=NOTHING, topic=NOTHING, seed=0, polling=5.0):
    """Make a task hub with one window of four slices of 20 s begun on it."""

    def play(name, asked, now):
        if name == "publish":
            return Played(error="RuntimeError: Unavailable: away") if topic.covers(now) else Played({"published": True})
        if name == "close_window":
            return Played({"state": "closed"})
        seconds = max(0.3, 10 + asked["slice"] * 20 + 23 - now)
        if hub.meets(now, now + seconds):
            return Played(error="RuntimeError: SendFailed: hub away", seconds=max(0.3, hub.start - now))
        return Played({"slice": asked["slice"], "state": "done"}, seconds=seconds)

    rolled = random.Random(seed)
    order = lambda batch: rolled.sample(batch, len(batch))  # noqa: E731 - a value of the test
    tasks = TaskHub(ORCHESTRATORS, play, Polling(polling, seed), shuffle=order)
    tasks.start("ingest_window", WINDOW, {"plan": window(START, 10, 80, 20)})
    return tasks


def seen(tasks):
    return [(one.status, one.output) for name, one in sorted(tasks.ended().items()) if name in SLICES]


@pytest.mark.parametrize("length", [30, 60, 120])
@pytest.mark.parametrize("start", range(0, 100, 20))
def test_a_hub_away_costs_time_and_nothing_else(start, length):
    with tasks_of(hub=Outage(start, length), seed=start) as tasks:
        tasks.run()

        assert seen(tasks) == [("Completed", state) for state in STATES]
        assert tasks.ended()[WINDOW].output == {"opening": {"published": True}, "state": "closed"}
        assert (tasks.failed(), tasks.unended(), tasks.duplicates) == ({}, [], 0)


@pytest.mark.parametrize("past_the_end", [0, 60, 300])
def test_a_topic_away_past_the_windows_end_lets_it_close(past_the_end):
    with tasks_of(topic=Outage(0, 90 + past_the_end)) as tasks:
        tasks.run()

        assert tasks.ended()[WINDOW].status == "Completed"
        assert seen(tasks) == [("Completed", state) for state in STATES]


@given(st.floats(0, 120), st.integers(0, 1000), st.sampled_from([1.0, 10.0, 30.0]))
def test_a_stop_at_any_moment_in_any_batch_ends_what_waits_and_lets_end_what_runs(moment, seed, polling):
    with tasks_of(seed=seed, polling=polling) as tasks:
        for name in SLICES:
            tasks.at(moment, lambda name=name: tasks.raise_event(name, "stop"))
        tasks.run()

        assert (tasks.failed(), tasks.unended()) == ({}, [])
        assert all(output["state"] in {"done", "skipped"} for _, output in seen(tasks))


@given(st.floats(0, 100), st.booleans())
def test_a_host_or_a_worker_that_dies_costs_time_and_nothing_else(moment, host):
    with tasks_of() as tasks:
        tasks.at(moment, tasks.kill_host if host else tasks.kill_worker)
        tasks.run()

        assert seen(tasks) == [("Completed", state) for state in STATES]
        assert tasks.ended()[WINDOW].status == "Completed"


def test_a_worker_that_dies_in_a_replay_fails_that_orchestration_as_non_deterministic():
    with tasks_of() as tasks:
        tasks.dies = lambda instance, episode: (instance, episode) == (SLICES[2], 1)
        tasks.run()

        assert "hasn't (yet?) scheduled this task" in tasks.failed()[SLICES[2]]
        assert tasks.ended()[SLICES[1]].output == STATES[1]
