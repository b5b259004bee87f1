"""How functions read hubs: in batches that come again for as long as they fail, as events of the app."""

from collections.abc import Callable, Sequence
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from shared.domain.delivery import Event


def reads_hub(bp: df.Blueprint, hub: str, consumer_group: str) -> Callable[[Callable[..., None]], Any]:
    """Decorate a function that is given the batches of a hub; `hub` names the setting that names the hub.

    A batch that fails is tried again for ever, since the hub's checkpoint moves on when the tries are over.
    """
    retried = bp.retry(
        strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:02", maximum_interval="00:01:00"
    )
    triggered = bp.event_hub_message_trigger(
        arg_name="events",
        event_hub_name=f"%{hub}%",
        connection="EVENT_HUBS",
        cardinality=func.Cardinality.MANY,
        consumer_group=consumer_group,
        data_type=func.DataType.BINARY,
    )
    return lambda function: triggered(retried(function))


def events_of(batch: Sequence[func.EventHubEvent]) -> list[Event]:
    """Give the events of a batch, in their order; each has the metadata of all of them.

    An event without a count of records is one record.
    """
    properties = (batch[0].metadata or {})["PropertiesArray"] if batch else []
    return [
        Event(event.get_body(), _rows(own.get("rows", 1)), own, event.partition_key, at=event.enqueued_time)
        for event, own in zip(batch, properties, strict=True)
    ]


def _rows(written: object) -> int:
    """Read a count that anyone may have written; one that is none fits no body."""
    return written if isinstance(written, int) and written > 0 else 0
