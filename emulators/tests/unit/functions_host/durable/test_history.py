import functools
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulators.functions_host.durable.history import (
    EventType,
    activity_result,
    child_result,
    event_raised,
    execution_started,
    read_failure,
    read_reply,
    task_event,
    trigger_input,
)
from emulators.functions_host.durable.model import Call, Instance, Parent, Task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Episodes of Microsoft's extension are kept in a folder beside the repository, not in it.
RECORDED = Path(__file__).parents[6] / "shared/data/durable"


def instance(**fields):
    return Instance(
        **{"id": "i", "execution": "e", "name": "n", "status": "Running", "created": NOW, "updated": NOW, **fields}
    )


def test_the_trigger_holds_past_and_new_events_and_the_input_parsed_once():
    started = execution_started(instance(input='"{\\"a\\": 1}"'), NOW)

    body = json.loads(trigger_input(instance(input='"{\\"a\\": 1}"'), [json.dumps(started)], [started]))

    assert body["input"] == '{"a": 1}'
    assert [event["EventType"] for event in body["history"]] == [EventType.EXECUTION_STARTED] * 2
    assert body["history"][0]["Version"] is None


def test_a_reply_is_one_list_of_actions_and_json_texts():
    text = json.dumps({"isDone": True, "actions": [[{"actionType": 0}]], "output": {"a": None}, "customStatus": [1]})

    reply = read_reply(text)

    assert (reply.done, reply.output, reply.custom_status) == (True, '{"a": null}', "[1]")
    assert reply.actions == ({"actionType": 0},)


def test_a_failure_with_the_sdks_label_keeps_the_actions_before_it():
    state = json.dumps({"isDone": False, "actions": [[{"actionType": 0}]], "error": "boom"})

    reply = read_failure(f"Exception: boom\n\n$OutOfProcData$:{state}")

    assert (reply.done, reply.error, len(reply.actions)) == (True, "boom", 1)


def test_a_failure_without_the_label_is_the_message_alone():
    reply = read_failure("ImportError: nothing there")

    assert (reply.done, reply.error, reply.actions) == (True, "ImportError: nothing there", ())


def test_an_enormous_error_is_cut():
    event = activity_result(3, "work", result=None, error="x" * 100_000, now=NOW)

    assert event["EventType"] == EventType.TASK_FAILED
    assert len(event["Reason"]) < 20_000


def test_a_parent_hears_of_its_childs_end_in_the_terms_of_its_own_task():
    child = instance(status="Failed", output='"no"', parent=Parent("p", "pe", 7))

    event = child_result(child, NOW)

    assert (event["EventType"], event["TaskScheduledId"], event["Reason"]) == (EventType.CHILD_FAILED, 7, "no")


def test_a_failed_activity_is_told_as_azure_tells_it_with_the_exception_as_json():
    event = activity_result(0, "f", result=None, error="RuntimeError: away", now=NOW, stack="Traceback")

    details = json.loads(event["Details"])
    assert event["Reason"] == "Activity function 'f' failed:  RuntimeError: away"
    assert details["InnerException"]["Message"] == "Result: Failure\nException: RuntimeError: away\nStack: Traceback"


@functools.cache
def episodes():
    """Give what the extension asked in its recorded episodes of every shape."""
    with gzip.open(RECORDED / "shapes.jsonl.gz", "rt") as lines:
        return [json.loads(line)["asked"] for line in lines]


def recorded(kind):
    """Give every recorded event of this kind."""
    return [event for asked in episodes() for event in asked["history"] if event["EventType"] == kind]


MAIN, PARENT = instance(input="1"), Parent("p", "pe", 7)
MADE = {
    "started": execution_started(MAIN, NOW),
    "activity": task_event(Task(0, Call("activity", "work", "1")), NOW),
    "child": task_event(Task(0, Call("child", "kid", "1", "k")), NOW),
    "timer": task_event(Task(0, Call("timer", ""), NOW), NOW),
    "completed": activity_result(0, "f", result="1", error=None, now=NOW),
    "failed": activity_result(0, "f", result=None, error="E: x", now=NOW),
    "child completed": child_result(instance(status="Completed", output="1", parent=PARENT), NOW),
    "child failed": child_result(instance(status="Failed", output='"x"', parent=PARENT), NOW),
    "raised": event_raised("go", "{}", NOW),
}


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded episodes are not beside this checkout")
@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_an_event_has_the_fields_of_the_extensions_own(made):
    azure = recorded(made["EventType"])

    assert {frozenset(event) for event in azure} == {frozenset(made)}
    assert all(made[name] is None for name in made if all(event[name] is None for event in azure))


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded episodes are not beside this checkout")
def test_the_trigger_has_the_fields_of_the_extensions_own():
    azure = episodes()[0]

    body = json.loads(trigger_input(MAIN, [], [execution_started(MAIN, NOW)]))

    assert set(body) == set(azure)
    same = ("isReplaying", "upperSchemaVersion", "upperSchemaVersionNew", "longRunningTimerIntervalDuration")
    assert {name: body[name] for name in same} == {name: azure[name] for name in same}


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded episodes are not beside this checkout")
def test_the_details_of_a_failure_have_the_fields_of_the_extensions_own_in_their_order():
    azure = recorded(EventType.TASK_FAILED)[0]

    (theirs, ours) = (json.loads(found["Details"]) for found in (azure, MADE["failed"]))

    assert list(ours) == list(theirs)
    assert list(ours["InnerException"]) == list(theirs["InnerException"])
