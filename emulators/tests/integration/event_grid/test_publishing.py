"""Microsoft's publisher clients, unmodified, against the topic; what they send wakes real functions."""

import json

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent
from azure.eventgrid.aio import EventGridPublisherClient as AioPublisher
from azure.identity.aio import ClientSecretCredential as AioCredential

WINDOW = "trades-20261122T100000Z"


def opened(event_id, subject="ADF_Trigger_Trades", **data):
    return EventGridEvent(subject, "ADF_Event", {"window": WINDOW} | data, "1.0", id=event_id)


def test_an_event_published_with_the_key_runs_the_function(grid):
    grid.publish(opened("key", amount=1.5))

    (delivery,) = grid.seen("/deliveries", 1, event_id="key", subscription="windows")
    (found,) = grid.ran("grid", "key")
    assert (delivery["status"], delivery["outcome"], delivery["attempt"]) == (202, "Success", 1)
    assert (found["subject"], found["event_type"], found["data_version"]) == ("ADF_Trigger_Trades", "ADF_Event", "1.0")
    assert found["data"] == {"window": WINDOW, "amount": 1.5}
    assert found["topic"].endswith("/providers/Microsoft.EventGrid/topics/local")


async def test_the_aio_client_publishes_with_a_token_of_entra(grid):
    async with (
        grid.credential(AioCredential) as credential,
        AioPublisher(grid.addresses["topic"], credential, connection_verify=str(grid.ca)) as client,
    ):
        await client.send([opened("aio-1"), opened("aio-2")])

    assert grid.seen("/deliveries", 1, event_id="aio-2", subscription="windows")
    assert len(grid.ran("grid", "aio-2")) == 1


def test_the_sync_client_publishes_cloud_events_with_a_token(grid):
    sent = CloudEvent("/app", "ADF_Event", id="cloud", data={"window": WINDOW}, extensions={"trace": "x"})
    with grid.credential() as credential:
        grid.send(sent, credential)

    grid.seen("/deliveries", 1, event_id="cloud")
    (found,) = grid.ran("cloud", "cloud")
    assert (found["source"], found["data"], found["extension_attrs"]) == ("/app", {"window": WINDOW}, {"trace": "x"})


def test_an_event_grid_event_reaches_a_cloud_events_subscription_as_one(grid):
    grid.publish(opened("turned"))

    grid.seen("/deliveries", 1, event_id="turned", subscription="clouds")
    (found,) = grid.ran("cloud", "turned")
    assert (found["type"], found["dataschema"], found["data"]) == ("ADF_Event", "#1.0", {"window": WINDOW})


def test_a_filtered_event_is_accepted_and_goes_to_those_who_want_it(grid):
    grid.publish(opened("filtered", subject="Window_Closed_Trades"))

    noted = next(note for note in grid.admin("GET", "/events")["events"] if note["event"]["id"] == "filtered")
    assert noted["subscriptions"] == ["clouds"]


def test_a_wrong_key_is_refused(grid):
    with pytest.raises(ClientAuthenticationError):
        grid.send(opened("refused"), AzureKeyCredential("another"))


def test_a_token_for_another_resource_is_refused(grid):
    with grid.credential() as credential:
        token = credential.get_token("https://eventhubs.azure.net/.default").token

    answer = requests.post(
        f"{grid.addresses['topic']}?api-version=2018-01-01",
        "[]",
        headers={"Authorization": f"Bearer {token}"},
        verify=str(grid.ca),
        timeout=5,
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")


def test_more_than_a_megabyte_is_refused(grid):
    with pytest.raises(HttpResponseError) as refusal:
        grid.publish(opened("large", text="x" * 1024 * 1024))

    assert refusal.value.status_code == 413


@pytest.mark.parametrize(("body", "query"), [([{"id": "1"}], "?api-version=2018-01-01"), ([], "")])
def test_a_request_that_is_no_publication_is_answered_with_the_reason(grid, body, query):
    headers = {"aeg-sas-key": grid.key}

    answer = requests.post(
        grid.addresses["topic"] + query, json.dumps(body), headers=headers, verify=str(grid.ca), timeout=5
    )

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["details"][0]["code"]) == (400, "BadRequest", "InputJsonInvalid")
