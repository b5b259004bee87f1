"""One event on its way to one subscription, and the request that carries it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulators.event_grid.events import Event, Schema, as_schema
from emulators.event_grid.schedule import DeliveryOutcome
from emulators.event_grid.subscriptions import Subscription

ORIGIN = "eventgrid.azure.net"


@dataclass(slots=True)
class Delivery:
    """An event, where it goes, and how that went so far; times are aware."""

    event: Event
    subscription: Subscription
    published: datetime
    attempts: int = 0
    outcome: DeliveryOutcome | None = None
    last_attempt: datetime | None = None

    def note(self, outcome: DeliveryOutcome, began: datetime) -> None:
        """Count an attempt that has ended."""
        self.attempts += 1
        self.outcome = outcome
        self.last_attempt = began


def content(delivery: Delivery) -> bytes:
    """Write the body: an array of one Event Grid event, or one CloudEvent as an object."""
    schema = delivery.subscription.event_delivery_schema
    fields = as_schema(delivery.event, schema)
    return json.dumps([fields] if schema is Schema.EVENT_GRID else fields).encode()


def headers(delivery: Delivery) -> dict[str, str]:
    """Write the headers; `aeg-delivery-count` is the number of attempts before this one."""
    return notification_headers(delivery.subscription) | {
        "aeg-event-type": "Notification",
        "aeg-delivery-count": str(delivery.attempts),
        "aeg-data-version": str(delivery.event.fields.get("dataVersion") or ""),
        "aeg-output-event-id": delivery.event.id,
    }


def notification_headers(subscription: Subscription) -> dict[str, str]:
    """Write the headers that all requests to an endpoint share; Azure writes the subscription's name in capitals."""
    cloud = subscription.event_delivery_schema is Schema.CLOUD_EVENTS
    shared = {
        "Content-Type": f"application/{'cloudevents+json' if cloud else 'json'}; charset=utf-8",
        "aeg-subscription-name": subscription.name.upper(),
        "aeg-metadata-version": "1.0" if cloud else "1",
    }
    return shared | ({"Origin": ORIGIN} if cloud else {})


def dead_letter(delivery: Delivery, reason: str) -> dict[str, Any]:
    """Write a dead letter: the event in the subscription's schema, with why and after what it was given up."""
    schema = delivery.subscription.event_delivery_schema
    outcome = delivery.outcome
    facts: Mapping[str, Any] = {
        "deadLetterReason": reason,
        "deliveryAttempts": delivery.attempts,
        "lastDeliveryOutcome": outcome.name if outcome else None,
        "lastHttpStatusCode": outcome.status if outcome else None,
        "publishTime": timestamp(delivery.published),
        "lastDeliveryAttemptTime": timestamp(delivery.last_attempt) if delivery.last_attempt else None,
    }
    # A CloudEvent's extension attributes are in lower case, by that specification.
    named = {(name if schema is Schema.EVENT_GRID else name.lower()): value for name, value in facts.items()}
    return {**as_schema(delivery.event, schema), **{name: value for name, value in named.items() if value is not None}}


def dead_letter_path(delivery: Delivery, now: datetime, letter_id: str) -> str:
    """Name the blob of a dead letter: one an hour's folder of its subscription."""
    return f"{delivery.subscription.name.upper()}/{now:%Y/%m/%d/%H}/{letter_id}.json"


def timestamp(moment: datetime) -> str:
    """Write a UTC time as Event Grid does, with seven digits of a second."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"
