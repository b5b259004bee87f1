from datetime import UTC, datetime, timedelta

import pytest

from emulators.functions_host.durable.decisions import Catalogue, digest, flatten, schedule, take_turn
from emulators.functions_host.durable.history import EventType, event
from emulators.functions_host.durable.model import Call, Instance, Plan, Reply, Retry, Task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = Catalogue(frozenset({"work"}), frozenset({"kid"}))
WORK = {"actionType": 0, "functionName": "work", "input": "1"}
RETRIED = {
    "actionType": 1,
    "functionName": "work",
    "input": "1",
    "retryOptions": {"firstRetryIntervalInMilliseconds": 500, "maxNumberOfAttempts": 2},
}
KID = {"actionType": 2, "functionName": "kid", "input": "[1]"}
TIMER = {"actionType": 5, "fireAt": "2026-01-01T00:00:05.000000Z", "isCanceled": False}
WAIT = {"actionType": 6, "externalEventName": "go"}


def instance(**fields):
    return Instance("i", "e", "main", "Running", NOW, NOW, **fields)


def turn(reply, arrived=None, **fields):
    arrived = arrived or event(EventType.EXECUTION_STARTED, NOW)
    return take_turn(instance(**fields), arrived, reply=reply, now=NOW, known=KNOWN)


def kinds(taken):
    return [event["EventType"].name for event in taken.events]


def test_actions_are_walked_depth_first():
    nested = {"actionType": 11, "compoundActions": [TIMER, {"actionType": 12, "compoundActions": [WORK, KID]}]}

    assert list(flatten([nested, WAIT])) == [TIMER, WORK, KID, WAIT]


def test_ids_are_counted_in_order_and_a_wait_takes_none():
    plan, tasks = schedule(Plan(), [WORK, WAIT, TIMER, KID])

    assert [task.id for task in tasks] == [0, 1, 2]
    assert (plan.next_id, plan.seen, plan.timers) == (3, 4, (1,))
    assert tasks[1].fire_at == NOW + timedelta(seconds=5)


def test_actions_that_were_seen_are_not_scheduled_again():
    plan, _ = schedule(Plan(), [WORK])

    _, tasks = schedule(plan, [WORK, KID])

    assert [task.call.name for task in tasks] == ["kid"]


def test_a_cancelled_timer_is_known_by_the_flag_on_its_old_action():
    first = turn(Reply((TIMER, TIMER)))

    second = turn(Reply((TIMER, {**TIMER, "isCanceled": True})), plan=first.instance.plan)
    third = turn(Reply((TIMER, {**TIMER, "isCanceled": True})), plan=second.instance.plan)

    assert (first.cancelled, second.cancelled, third.cancelled) == ((), (1,), ())


def test_a_failed_attempt_takes_a_timer_id_before_new_actions_take_theirs():
    started = turn(Reply((RETRIED, WORK)))

    failed = turn(
        Reply((RETRIED, WORK, KID)), event(EventType.TASK_FAILED, NOW, TaskScheduledId=0), plan=started.instance.plan
    )

    assert [(task.id, task.call.kind) for task in failed.tasks] == [(2, "timer"), (3, "child")]
    assert failed.tasks[0].fire_at == NOW + timedelta(milliseconds=500)


def test_the_retry_timers_firing_starts_the_next_attempt_until_none_is_left():
    call = Call("activity", "work", "1")
    waiting = Plan(5, retries={4: Retry(call, 1, 2, 500)})
    fired = event(EventType.TIMER_FIRED, NOW, TimerId=4)

    plan, tasks = digest(waiting, fired, NOW)
    spent, none = digest(Plan(5, retries={4: Retry(call, 2, 2, 500)}), fired, NOW)

    assert tasks == (Task(5, call),)
    assert plan.retries == {5: Retry(call, 2, 2, 500)}
    assert (spent.retries, none) == ({}, ())


def test_a_child_gets_a_steady_id_and_its_input_serialised_once_more():
    (task,) = turn(Reply((KID,))).tasks

    assert (task.call.instance, task.call.input) == ("e:0000", '"[1]"')


def test_an_episode_is_written_in_durable_tasks_order():
    assert kinds(turn(Reply((WORK,)))) == [
        "ORCHESTRATOR_STARTED", "EXECUTION_STARTED", "TASK_SCHEDULED", "ORCHESTRATOR_COMPLETED",
    ]  # fmt: skip


def test_a_reply_that_is_done_completes_the_instance():
    taken = turn(Reply(done=True, output='"x"', custom_status="1"))

    assert (taken.instance.status, taken.instance.output, taken.instance.custom_status) == ("Completed", '"x"', "1")
    assert kinds(taken)[-2:] == ["EXECUTION_COMPLETED", "ORCHESTRATOR_COMPLETED"]


def test_a_status_that_is_not_repeated_is_kept():
    assert turn(Reply(), custom_status="1").instance.custom_status == "1"


def test_an_error_fails_the_instance_as_azure_phrases_it():
    taken = turn(Reply(done=True, error="boom"))

    assert taken.instance.output == "\"Orchestrator function 'main' failed: boom\""


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            {**WORK, "functionName": "gone"},
            "The function 'gone' doesn't exist, is disabled, or is not an activity function",
        ),
        ({**KID, "functionName": "gone"}, "is not an orchestrator function"),
        ({"actionType": 4}, "continue_as_new is not supported"),
        ({"actionType": 7}, "call_entity is not supported"),
        ({"actionType": 8}, "call_http is not supported"),
    ],
)
def test_what_cannot_be_scheduled_fails_the_instance_by_name(action, words):
    taken = turn(Reply((WORK, action)))

    assert taken.instance.status == "Failed"
    assert words in taken.instance.output
    assert taken.tasks == ()
