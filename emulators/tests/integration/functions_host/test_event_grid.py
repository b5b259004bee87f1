"""The host's Event Grid webhook answers as Azure's does, and the functions get real event objects."""

import json

import pytest

from emulators.functions_host.keys import read_keys
from tests.integration.functions_host.conftest import APPS, Host

WEBHOOK = "/runtime/webhooks/EventGrid?functionName="
GRID, CLOUD = f"{WEBHOOK}on_grid_event", f"{WEBHOOK}on_cloud_event"
ORIGIN = {"WebHook-Request-Origin": "eventgrid.azure.net"}


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    host = Host(APPS / "grid", tmp_path_factory.mktemp("grid") / "state.sqlite")
    yield host
    host.stop()


def grid_event(event_id, **data):
    fields = {"id": event_id, "topic": "/t", "subject": "ADF_Trigger_Trades", "eventType": "ADF_Event", "data": data}
    return fields | {"eventTime": "2026-11-22T10:00:00.1234567Z", "dataVersion": "1.0", "metadataVersion": "1"}


def cloud_event(event_id):
    fields = {"specversion": "1.0", "id": event_id, "source": "/t", "type": "ADF_Event", "data": {"n": 1}}
    return fields | {"time": "2026-11-22T10:00:00Z", "subject": "s", "trace": "extension"}


def post(host, address, content, kind="Notification", content_type="application/json"):
    headers = {"aeg-event-type": kind, "Content-Type": f"{content_type}; charset=utf-8"}
    return host.call("POST", address, data=json.dumps(content), headers=headers)


def left(host, name, event_id):
    return [found for found in map(json.loads, host.effect(name)) if found["id"] == event_id]


def test_a_subscription_is_validated_by_its_code(grid):
    response = post(grid, GRID, [{"data": {"validationCode": "c0de"}}], "SubscriptionValidation")

    assert (response.status_code, response.json()) == (200, {"validationResponse": "c0de"})


def test_a_validation_wrapped_in_a_cloud_event_is_answered_too(grid):
    content = {"specversion": "1.0", "data": json.dumps({"validationCode": "c0de"})}

    assert post(grid, CLOUD, content, "SubscriptionValidation").json() == {"validationResponse": "c0de"}


def test_a_cloud_events_subscription_is_validated_by_options(grid):
    response = grid.call("OPTIONS", CLOUD, headers=ORIGIN)

    assert (response.status_code, response.headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")
    assert grid.call("OPTIONS", CLOUD).status_code == 400
    assert grid.call("OPTIONS", f"{WEBHOOK}nobody", headers=ORIGIN).status_code == 404


def test_each_event_of_a_notification_runs_the_function_with_a_real_event_grid_event(grid):
    response = post(grid, GRID, [grid_event("a", window="w"), grid_event("b")])

    (found,) = left(grid, "grid", "a")
    assert (response.status_code, len(left(grid, "grid", "b"))) == (202, 1)
    assert (found["event_type"], found["subject"]) == ("ADF_Event", "ADF_Trigger_Trades")
    assert (found["data"], found["data_version"]) == ({"window": "w"}, "1.0")
    assert found["event_time"] == "2026-11-22T10:00:00.123456+00:00"


def test_one_failing_event_fails_the_whole_notification(grid):
    response = post(grid, GRID, [grid_event("fine"), grid_event("bad", fail=True)])

    assert (response.status_code, len(left(grid, "grid", "fine"))) == (500, 1)


def test_a_cloud_event_arrives_as_one(grid):
    response = post(grid, CLOUD, cloud_event("ce"), content_type="application/cloudevents+json")

    (found,) = left(grid, "cloud", "ce")
    assert response.status_code == 202
    assert (found["type"], found["source"], found["data"]) == ("ADF_Event", "/t", {"n": 1})
    assert found["extension_attrs"] == {"trace": "extension"}


@pytest.mark.parametrize(
    ("address", "kind", "content", "status"),
    [
        (f"{WEBHOOK}nobody", "Notification", [], 404),
        ("/runtime/webhooks/EventGrid", "Notification", [], 404),
        (GRID, "Unsubscribe", [], 202),
        (GRID, "SomethingElse", [], 400),
        (GRID, "Notification", ["no object"], 400),
        (GRID, "SubscriptionValidation", [], 400),
        ("/runtime/webhooks/eventgrid?functionname=on_grid_event", "Unsubscribe", [], 202),
    ],
)
def test_other_requests_are_answered_as_azure_does(grid, address, kind, content, status):
    assert post(grid, address, content, kind).status_code == status


def test_an_event_can_be_given_by_hand(grid, until):
    address = "/admin/functions/on_grid_event"

    assert grid.call("POST", address, json={"input": json.dumps(grid_event("hand"))}).status_code == 202
    assert grid.call("POST", address, json={"input": "[]"}).status_code == 400
    assert grid.call("POST", address, json=["no input"]).status_code == 400
    until(lambda: left(grid, "grid", "hand"), "the event given by hand")


def test_with_auth_the_webhook_asks_for_the_key_of_the_extension(launch, tmp_path):
    host = launch("grid", "--enable-auth")
    keys = read_keys(tmp_path / "state.sqlite")

    assert post(host, GRID, [grid_event("n")]).status_code == 401
    assert post(host, f"{GRID}&code={keys.durable}", [grid_event("n")]).status_code == 401
    assert post(host, f"{GRID}&code={keys.event_grid}", [grid_event("y")]).status_code == 202
    assert host.call("OPTIONS", GRID, headers=ORIGIN).status_code == 401
