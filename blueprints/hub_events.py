"""What the Event Hubs trigger gives, as events of the app."""

from collections.abc import Sequence

import azure.functions as func

from shared.domain.delivery import Event


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
