"""What becomes of an event when the endpoint fails, when faults are ordered, and when nobody can take it."""

import json
import subprocess
import sys
import time

from azure.eventgrid import EventGridEvent
from azure.storage.blob import BlobServiceClient

from tests.integration.event_grid.conftest import arguments


def opened(event_id, subject="ADF_Trigger_Trades", **data):
    return EventGridEvent(subject, "ADF_Event", data, "1.0", id=event_id)


def test_a_function_that_fails_is_given_the_event_again_until_it_is_dead(grid):
    grid.subscribe("stubborn", subjectBeginsWith="stubborn", maxDeliveryAttempts=4, deadLetterContainer="dead")

    grid.publish(opened("fails", subject="stubborn", fail=True))
    (letter,) = grid.seen("/dead-letters", 1, subscription="stubborn")

    deliveries = grid.seen("/deliveries", 4, subscription="stubborn")
    assert [(noted["attempt"], noted["status"]) for noted in deliveries] == [(1, 500), (2, 500), (3, 500), (4, 500)]
    assert letter["event"]["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"
    assert len(grid.ran("grid", "fails")) == 4


def test_a_dead_letter_lies_in_blob_with_reason_and_event(grid):
    grid.subscribe("hidden", subjectBeginsWith="hidden", maxDeliveryAttempts=1, deadLetterContainer="dead")

    grid.publish(opened("lost", subject="hidden", fail=True))
    (noted,) = grid.seen("/dead-letters", 1, subscription="hidden")
    container, _, path = noted["blob"].partition("/")
    with BlobServiceClient.from_connection_string(grid.storage) as service:
        (letter,) = json.loads(service.get_blob_client(container, path).download_blob().readall())

    assert (container, path.split("/")[0]) == ("dead", "HIDDEN")
    assert letter == noted["event"]
    assert (letter["id"], letter["data"], letter["deliveryAttempts"]) == ("lost", {"fail": True}, 1)
    assert (letter["lastDeliveryOutcome"], letter["lastHttpStatusCode"]) == ("InternalServerError", 500)


def test_events_wait_for_an_endpoint_that_is_not_there_yet(grid):
    hook = f"{grid.host.url}/runtime/webhooks/EventGrid?functionName="
    grid.admin("PUT", "/subscriptions/early", {"endpoint": f"{hook}nobody_yet", "subjectBeginsWith": "early"})

    grid.publish(opened("early", subject="early"))

    assert grid.subscription("early")["provisioningState"] == "AwaitingValidation"
    assert grid.admin("GET", "/deliveries?subscription=early")["deliveries"] == []


def test_an_event_is_delivered_twice_on_demand(grid):
    grid.admin("POST", "/faults", {"kind": "duplicate", "subscription": "windows"})

    grid.publish(opened("twice"))
    grid.seen("/deliveries", 2, event_id="twice", subscription="windows")

    assert len(grid.ran("grid", "twice")) == 2


def test_events_are_delivered_out_of_order_on_demand(grid):
    grid.admin("POST", "/faults", {"kind": "out_of_order", "count": 3, "subscription": "windows"})

    for name in ("first", "second", "third"):
        grid.publish(opened(name))
    grid.seen("/deliveries", 1, event_id="first", subscription="windows")

    order = [found["id"] for found in map(json.loads, grid.host.effect("grid"))]
    assert order[-3:] == ["third", "second", "first"]


def test_an_answer_that_is_lost_makes_a_second_delivery(grid):
    grid.admin("POST", "/faults", {"kind": "lose_answer", "subscription": "windows"})

    grid.publish(opened("unheard"))
    deliveries = grid.seen("/deliveries", 2, event_id="unheard", subscription="windows")

    assert [noted["outcome"] for noted in deliveries] == ["TimedOut", "Success"]
    assert len(grid.ran("grid", "unheard")) == 2


def test_a_topic_that_is_down_answers_again_later_and_the_client_gets_through(grid):
    grid.admin("POST", "/faults", {"kind": "topic_down", "seconds": 0.6})
    began = time.monotonic()

    grid.send(opened("patient"), retry_backoff_factor=0.3)

    assert time.monotonic() - began > 0.5
    assert grid.seen("/deliveries", 1, event_id="patient", subscription="windows")


def test_the_key_is_shown_nowhere(grid, files):
    grid.subscribe(
        "secretive", endpoint=f"{grid.host.url}/runtime/webhooks/EventGrid?functionName=on_grid_event&code=c0de"
    )

    log = (files / "log").read_text()

    assert "c0de" not in json.dumps(grid.admin("GET", "/subscriptions"))
    assert "c0de" not in log
    assert grid.key not in log


def test_a_file_that_is_no_list_of_subscriptions_ends_the_process_with_the_reason(files, tmp_path):
    (tmp_path / "bad.json").write_text('{"subscriptions": [{"name": "x"}]}')
    words = [*map(str, arguments(files, "https://localhost:1/t")), "--subscriptions", str(tmp_path / "bad.json")]

    ended = subprocess.run(
        [sys.executable, "-m", "emulators.event_grid", *words], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "bad.json does not describe subscriptions" in ended.stderr
