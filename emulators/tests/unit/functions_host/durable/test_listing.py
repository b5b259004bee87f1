import json
from datetime import UTC, datetime, timedelta

from emulators.functions_host.durable.history import (
    EventType,
    activity_result,
    child_result,
    closing_events,
    event,
    event_raised,
    execution_started,
    task_event,
)
from emulators.functions_host.durable.listing import history_listing
from emulators.functions_host.durable.model import Call, Instance, Parent, Task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=2)
WORK = Task(0, Call("activity", "work", '"given"'))
KID = Task(1, Call("child", "kid", '"given"', "kid-1"))


def instance(**fields):
    return Instance(
        **{"id": "i", "execution": "e", "name": "main", "status": "Running"} | fields, created=NOW, updated=NOW
    )


def listing(*events, with_output=True, with_input=True):
    return history_listing([json.dumps(e) for e in events], with_output=with_output, with_input=with_input)


def test_the_start_shows_its_input_as_a_text_and_what_tells_generations_apart():
    (shown,) = listing(execution_started(instance(input='{"a": 1}'), NOW))

    assert shown == {
        "EventType": "ExecutionStarted", "Timestamp": "2026-01-01T00:00:00.000000Z", "FunctionName": "main",
        "Input": '{"a": 1}', "Correlation": None, "ParentTraceContext": None, "ScheduledStartTime": None,
        "Generation": 0, "GenerateNewTrace": False,
    }  # fmt: skip


def test_a_tasks_end_is_joined_with_its_beginning_and_has_no_input():
    done = activity_result(0, "work", result="[1]", error=None, now=LATER)

    (shown,) = listing(event(EventType.ORCHESTRATOR_STARTED, NOW), task_event(WORK, NOW), done)

    assert shown == {
        "EventType": "TaskCompleted", "Timestamp": "2026-01-01T00:00:02.000000Z", "Result": [1],
        "ScheduledTime": "2026-01-01T00:00:00.000000+00:00", "FunctionName": "work", "Input": None,
    }  # fmt: skip


def test_a_task_that_has_not_ended_is_shown_as_scheduled():
    (shown,) = listing(task_event(WORK, NOW))

    assert (shown["EventType"], shown["Name"], shown["Input"]) == ("TaskScheduled", "work", None)
    assert "Version" not in shown


def test_a_childs_end_names_the_child():
    child = instance(id="kid-1", status="Completed", output="5", parent=Parent("i", "e", 1))

    (shown,) = listing(task_event(KID, NOW), child_result(child, LATER))

    assert (shown["EventType"], shown["InstanceId"]) == ("SubOrchestrationInstanceCompleted", "kid-1")
    assert (shown["FunctionName"], shown["Result"]) == ("kid", 5)


def test_a_failed_task_shows_its_reason_and_details_and_no_result():
    failed = activity_result(0, "work", result=None, error="ValueError: no", now=LATER)

    (shown,) = listing(task_event(WORK, NOW), failed)

    assert shown["Reason"] == "Activity function 'work' failed:  ValueError: no"
    assert json.loads(shown["Details"])["Message"] == " ValueError: no"
    assert shown["FailureDetails"] is None
    assert "Result" not in shown


def test_a_raised_event_shows_its_input_as_a_text():
    (shown,) = listing(event_raised("go", '{"a": 1}', NOW))

    assert (shown["Name"], shown["Input"], shown["ParentTraceContext"]) == ("go", '{"a": 1}', None)


def test_the_end_shows_its_status_and_failure_details():
    (shown,) = listing(*closing_events(instance(status="Completed", output='"done"'), NOW))

    assert (shown["OrchestrationStatus"], shown["Result"], shown["FailureDetails"]) == ("Completed", "done", None)


def test_outputs_are_shown_on_demand_and_inputs_unless_unwanted():
    events = (
        execution_started(instance(input='"x"'), NOW),
        *closing_events(instance(status="Completed", output='"done"'), NOW),
    )

    (started, ended) = listing(*events, with_output=False)
    (bare, _) = listing(*events, with_input=False)

    assert (started["Input"], "Result" in ended, "Input" in bare) == ('"x"', False, False)
