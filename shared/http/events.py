"""What an Event Grid trigger is handed, read alike in both schemas in which a subscription can deliver."""

from collections.abc import Mapping
from typing import Any, Protocol


class DeliveredEvent(Protocol):
    """What `func.EventGridEvent` and `func.CloudEvent` have in common."""

    @property
    def id(self) -> str: ...

    @property
    def subject(self) -> str | None: ...

    def get_json(self) -> Any: ...  # noqa: ANN401 - any JSON value


def published_event(event: DeliveredEvent) -> Mapping[str, Any]:
    """Give `type`, `subject`, `id` and `data` of an event as its publisher wrote them.

    The worker makes an EventGridEvent (`event_type`) or a CloudEvent (`type`) of what arrives, whichever of the two
    the trigger's parameter is annotated with.
    """
    kind = getattr(event, "event_type", None) or getattr(event, "type", None)
    return {"type": kind, "subject": event.subject, "id": event.id, "data": event.get_json()}
