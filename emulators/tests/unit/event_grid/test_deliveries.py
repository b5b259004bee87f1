import json

from emulators.event_grid.deliveries import content, dead_letter, dead_letter_path, headers
from emulators.event_grid.events import Schema
from emulators.event_grid.schedule import TIMED_OUT, DeliveryOutcome

CLOUD = {"event_delivery_schema": Schema.CLOUD_EVENTS}


def test_an_event_grid_event_travels_in_an_array_with_its_headers(delivery):
    carried = delivery()

    (event,) = json.loads(content(carried))

    assert event == carried.event.fields
    assert headers(carried) == {
        "Content-Type": "application/json; charset=utf-8",
        "aeg-event-type": "Notification",
        "aeg-subscription-name": "ENRICHMENT",
        "aeg-delivery-count": "0",
        "aeg-metadata-version": "1",
        "aeg-data-version": "1.0",
        "aeg-output-event-id": "trades-1",
    }


def test_a_cloud_event_travels_alone_and_says_where_it_is_from(delivery, cloud_event):
    carried = delivery(cloud_event(), **CLOUD)

    assert json.loads(content(carried))["id"] == "c-1"
    assert headers(carried)["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert (headers(carried)["aeg-metadata-version"], headers(carried)["Origin"]) == ("1.0", "eventgrid.azure.net")


def test_the_delivery_count_is_the_number_of_attempts_before(delivery, noon):
    carried = delivery()
    carried.note(TIMED_OUT, noon)

    assert headers(carried)["aeg-delivery-count"] == "1"


def test_a_dead_letter_is_the_event_with_why_it_died(delivery, noon):
    carried = delivery()
    carried.note(DeliveryOutcome.of(404), noon)

    assert dead_letter(carried, "MaxDeliveryAttemptsExceeded") == {
        **carried.event.fields,
        "deadLetterReason": "MaxDeliveryAttemptsExceeded",
        "deliveryAttempts": 1,
        "lastDeliveryOutcome": "NotFound",
        "lastHttpStatusCode": 404,
        "publishTime": "2026-11-22T12:00:00.0000010Z",
        "lastDeliveryAttemptTime": "2026-11-22T12:00:00.0000010Z",
    }


def test_a_dead_cloud_event_has_its_facts_in_lower_case(delivery, cloud_event, noon):
    carried = delivery(cloud_event(), **CLOUD)
    carried.note(TIMED_OUT, noon)

    letter = dead_letter(carried, "TimeToLiveExceeded")

    assert (letter["deadletterreason"], letter["lastdeliveryoutcome"]) == ("TimeToLiveExceeded", "TimedOut")
    assert "lasthttpstatuscode" not in letter


def test_a_dead_letter_lies_in_the_folder_of_its_subscription_and_hour(delivery, noon):
    assert dead_letter_path(delivery(), noon, "guid") == "ENRICHMENT/2026/11/22/12/guid.json"
