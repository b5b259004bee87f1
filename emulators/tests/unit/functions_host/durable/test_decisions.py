from datetime import UTC, datetime, timedelta

import pytest

from emulators.functions_host.durable.decisions import Catalogue, Episode, broken_turn, take_turn
from emulators.functions_host.durable.history import EventType, activity_result, event, task_event
from emulators.functions_host.durable.model import Call, Instance, Reply, Task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = Catalogue(frozenset({"work"}), frozenset({"kid"}))
WORK = {"actionType": 0, "functionName": "work", "input": "1"}
KID = {"actionType": 2, "functionName": "kid", "input": "[1]"}
WAIT = {"actionType": 6, "externalEventName": "go"}
AGAIN = {"actionType": 4, "input": "2"}
STARTED = event(EventType.EXECUTION_STARTED, NOW)
RAISED = event(EventType.EVENT_RAISED, NOW, Name="GO", Input="1")


def episode(*arrived, past=(), **fields):
    instance = Instance("i", "e", "main", fields.pop("status", "Running"), NOW, NOW, **fields)
    return Episode(instance, past, arrived or (STARTED,), NOW)


def turn(reply, *arrived, **fields):
    return take_turn(episode(*arrived, **fields), reply, KNOWN, "second")


def kinds(taken):
    return [event["EventType"].name for event in taken.events]


def scheduled(number=0):
    return (STARTED, task_event(Task(number, Call("activity", "work")), NOW))


def ended(number=0, error=None):
    return activity_result(number, "work", result="1", error=error, now=NOW)


def test_an_episode_is_written_in_durable_tasks_order():
    assert kinds(turn(Reply((WORK,)))) == [
        "ORCHESTRATOR_STARTED", "EXECUTION_STARTED", "TASK_SCHEDULED", "ORCHESTRATOR_COMPLETED",
    ]  # fmt: skip


def test_all_that_arrived_is_in_one_episode_in_order_of_arrival():
    taken = turn(Reply((WAIT, WORK)), STARTED, RAISED)

    assert kinds(taken)[1:4] == ["EXECUTION_STARTED", "EVENT_RAISED", "TASK_SCHEDULED"]


def test_a_child_gets_a_steady_id_and_its_input_serialised_once_more():
    (task,) = turn(Reply((KID,))).tasks

    assert (task.call.instance, task.call.input) == ("e:0", '"[1]"')


def test_a_reply_that_is_done_completes_the_instance():
    taken = turn(Reply(done=True, output='"x"', custom_status="1"))

    assert (taken.instance.status, taken.instance.output, taken.instance.custom_status) == ("Completed", '"x"', "1")
    assert kinds(taken)[-2:] == ["EXECUTION_COMPLETED", "ORCHESTRATOR_COMPLETED"]


def test_an_orchestrator_that_returned_goes_on_until_all_it_scheduled_has_ended():
    race = {"actionType": 11, "compoundActions": [WORK, WORK]}
    past = (*scheduled(0), task_event(Task(1, Call("activity", "work")), NOW))

    first = turn(Reply((race,), done=True, output="1"), ended(0), past=past)
    both = turn(Reply((race,), done=True, output="1"), ended(0), ended(1), past=past)

    assert (first.instance.status, both.instance.status) == ("Running", "Completed")


def test_a_status_that_is_not_repeated_is_kept():
    assert turn(Reply(), custom_status="1").instance.custom_status == "1"


def test_an_error_fails_the_instance_as_azure_phrases_it():
    taken = turn(Reply(done=True, error="boom"))

    assert taken.instance.output == "\"Orchestrator function 'main' failed: boom\""


def test_a_function_that_dies_before_the_sdk_ran_it_is_non_deterministic_once_something_was_scheduled():
    dead = Reply(done=True, error="the worker is gone")

    at_first, later = turn(dead), turn(dead, ended(), past=scheduled())

    assert at_first.instance.output == "\"Orchestrator function 'main' failed: the worker is gone\""
    assert "hasn't (yet?) scheduled this task" in later.instance.output
    assert later.instance.status == "Failed"


def test_a_terminated_instance_ends_with_the_reason_and_schedules_nothing_after_it():
    taken = turn(Reply((WORK,)), event(EventType.EXECUTION_TERMINATED, NOW, Input="enough"), past=scheduled())

    assert (taken.instance.status, taken.instance.output, taken.tasks) == ("Terminated", '"enough"', ())


def test_a_suspended_instance_records_what_arrives_and_acts_when_it_is_resumed():
    reply, pause = Reply((WAIT, WORK)), event(EventType.SUSPENDED, NOW, Reason="pause")
    resume = event(EventType.RESUMED, NOW, Reason="on")

    paused = turn(reply, pause, RAISED, past=(STARTED,))
    resumed = turn(reply, resume, past=(STARTED, pause, RAISED), output='"pause"')

    assert (paused.instance.status, paused.instance.output, paused.tasks) == ("Suspended", '"pause"', ())
    assert (resumed.instance.status, resumed.instance.output) == ("Running", '"on"')
    assert [task.id for task in resumed.tasks] == [0]


def test_the_next_generation_has_a_new_execution_the_new_input_and_what_was_raised_too_late_for_the_last():
    taken = turn(Reply((AGAIN,), done=True), STARTED, RAISED)

    assert (taken.instance.execution, taken.instance.input, taken.instance.status) == ("second", '"2"', "Running")
    assert [one["EventType"] for one in taken.fresh] == [
        EventType.EXECUTION_STARTED, EventType.EVENT_RAISED, EventType.ORCHESTRATOR_COMPLETED,
    ]  # fmt: skip
    assert taken.fresh[0]["OrchestrationInstance"]["ExecutionId"] == "second"
    assert taken.events == ()


def test_what_was_raised_and_not_waited_for_ends_with_its_generation():
    taken = turn(Reply((WORK, AGAIN), done=True), ended(), past=(*scheduled(), RAISED))

    assert [one["EventType"] for one in taken.fresh] == [EventType.EXECUTION_STARTED, EventType.ORCHESTRATOR_COMPLETED]


def test_a_reply_that_cannot_be_read_ends_the_instance_and_says_so():
    taken = broken_turn(episode(), "KeyError('x')")

    assert taken.instance.status == "Failed"
    assert "can't read the orchestrator's reply: KeyError('x')" in taken.instance.output


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            {**WORK, "functionName": "gone"},
            "The function 'gone' doesn't exist, is disabled, or is not an activity function",
        ),
        ({**KID, "functionName": "gone"}, "is not an orchestrator function"),
        ({"actionType": 7}, "call_entity is not supported"),
        ({"actionType": 8}, "call_http is not supported"),
        ({"actionType": 9}, "signal_entity is not supported"),
    ],
)
def test_what_cannot_be_scheduled_fails_the_instance_by_name(action, words):
    taken = turn(Reply((WORK, action)))

    assert taken.instance.status == "Failed"
    assert words in taken.instance.output
    assert taken.tasks == ()


def test_a_long_timer_is_waited_out_in_steps_that_storage_bears():
    timer = {"actionType": 5, "fireAt": "2026-01-11T00:00:00.000000Z", "isCanceled": False}

    (first,) = turn(Reply((timer,))).tasks

    assert first.fire_at == NOW + timedelta(days=3)
