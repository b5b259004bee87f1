from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.databricks import lifecycle
from emulators.databricks.endings import (
    TERMINATION_CODES,
    cancelled,
    failed,
    success,
    timed_out,
    upstream_failed,
    with_code,
)
from emulators.databricks.lifecycle import Run, TaskRun

STATES = ("QUEUED", "PENDING", "RUNNING", "TERMINATING", "TERMINATED", "SKIPPED", "INTERNAL_ERROR")


def a_run(run_id=1, life_cycle="PENDING", tasks=()):
    return Run(run_id, 1, "job", "me", 100, tasks or (TaskRun("a", run_id + 1),), life_cycle=life_cycle)


def a_task(key, ending, ended_at):
    return lifecycle.task_ended(TaskRun(key, 0), ending, ended_at)


@pytest.mark.parametrize(
    ("others", "queue", "expected"),
    [
        ([], False, "PENDING"),
        (["TERMINATED", "SKIPPED", "INTERNAL_ERROR"], False, "PENDING"),
        (["RUNNING"], True, "QUEUED"),
        (["TERMINATING"], False, "SKIPPED"),
        (["QUEUED"], True, "QUEUED"),
    ],
)
def test_a_new_run_takes_the_place_waits_or_is_skipped(others, queue, expected):
    assert lifecycle.admission([a_run(life_cycle=state) for state in others], 1, queue=queue) == expected


@given(st.lists(st.sampled_from(STATES), max_size=12), st.integers(0, 4))
def test_the_queue_is_served_in_order_and_never_beyond_the_limit(states, limit):
    runs = [a_run(number, state) for number, state in enumerate(states)]

    due = [run.run_id for run in lifecycle.due(reversed(runs), limit)]

    queued = [run.run_id for run in runs if run.life_cycle == "QUEUED"]
    placed = sum(run.is_placed for run in runs)
    assert due == queued[: len(due)]
    assert len(due) == min(len(queued), max(limit - placed, 0))


def test_a_skipped_run_is_over_at_once():
    run = lifecycle.admitted(a_run(), "SKIPPED", 1)

    assert (run.life_cycle, run.ended_at) == ("SKIPPED", 100)
    assert run.ending.result == "MAXIMUM_CONCURRENT_RUNS_REACHED"


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_a_stopped_run_is_terminating_until_it_ends_as_ordered(state):
    stopping = lifecycle.stopped(a_run(life_cycle=state), cancelled(), 200)
    ended = lifecycle.ended(stopping, success(), 300)

    assert (stopping.life_cycle, stopping.is_over) == ("TERMINATING", False)
    assert (ended.life_cycle, ended.ending, ended.ended_at) == ("TERMINATED", cancelled(), 300)
    assert ended.tasks[0].ending == cancelled()


def test_the_first_order_to_stop_holds():
    run = lifecycle.stopped(lifecycle.stopped(a_run(), cancelled(), 1), timed_out(5), 2)

    assert run.stopping == cancelled()


def test_a_queued_run_stops_at_once_and_a_finished_one_not_at_all():
    queued, over = a_run(life_cycle="QUEUED"), a_run(life_cycle="TERMINATED")

    assert lifecycle.stopped(queued, cancelled(), 9).ending == cancelled()
    assert lifecycle.stopped(over, cancelled(), 9) == over


def test_a_run_that_is_stopped_before_it_begins_never_runs():
    assert lifecycle.begun(lifecycle.stopped(a_run(), cancelled(), 1), 2).life_cycle == "TERMINATING"


def test_a_task_that_was_over_keeps_its_end_when_its_run_is_stopped():
    run = a_run(tasks=(a_task("a", success(), 5), TaskRun("b", 3)))

    ended = lifecycle.ended(replace(run, stopping=cancelled()), success(), 9)

    assert [task.ending.result for task in ended.tasks] == ["SUCCESS", "CANCELED"]


def test_a_lost_run_is_an_internal_error_even_if_it_was_being_cancelled():
    run = lifecycle.abandoned(lifecycle.stopped(a_run(), cancelled(), 1), 9)

    assert (run.life_cycle, run.ending.result, run.ending.kind) == ("INTERNAL_ERROR", "FAILED", "INTERNAL_ERROR")


def test_a_run_ends_like_the_first_of_its_tasks_that_failed():
    tasks = [a_task("a", failed("late"), 9), a_task("b", failed("early"), 5), a_task("c", upstream_failed("b"), 1)]

    assert lifecycle.outcome(tasks).message == "Task b failed with message: early"
    assert lifecycle.outcome([a_task("a", success(), 1)]) == success()


@pytest.mark.parametrize("code", TERMINATION_CODES)
def test_a_run_comes_back_from_its_record_as_it_was(code):
    run = lifecycle.ended(a_run(), with_code(code), 9)

    assert msgspec.json.decode(msgspec.json.encode(run), type=Run) == run
    assert run.is_over
