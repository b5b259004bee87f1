import json
from datetime import UTC, datetime

from emulators.functions_host.durable.history import (
    EventType,
    activity_result,
    child_result,
    execution_started,
    read_failure,
    read_reply,
    trigger_input,
)
from emulators.functions_host.durable.model import Instance, Parent

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def instance(**fields):
    return Instance(
        **{"id": "i", "execution": "e", "name": "n", "status": "Running", "created": NOW, "updated": NOW, **fields}
    )


def test_the_trigger_holds_past_and_new_events_and_the_input_parsed_once():
    started = execution_started(instance(input='"{\\"a\\": 1}"'), NOW)

    body = json.loads(trigger_input(instance(input='"{\\"a\\": 1}"'), [json.dumps(started)], [started]))

    assert body["input"] == '{"a": 1}'
    assert [event["EventType"] for event in body["history"]] == [EventType.EXECUTION_STARTED] * 2
    assert body["history"][0]["Version"] == ""


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
