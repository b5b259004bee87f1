"""Events as a function gets them: bodies and metadata in the shapes that the Event Hubs extension gives them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.amqp import AmqpMessageBodyType

from emulators.functions_host.app_worker import Given
from emulators.functions_host.protos import Message, TypedData

_LOWEST_SEQUENCE_NUMBER = -(2**63)
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class UnreadableEvent(Exception):
    """An event has no body that a trigger can hand over: its AMQP body is a value or a sequence, not data."""


def many(events: Sequence[EventData], partition: Mapping[str, Any] | None, *, binary: bool) -> Given:
    """Write a batch as one call gets it (cardinality many); raises UnreadableEvent."""
    bodies = [body(event) for event in events]
    if binary:
        value = TypedData(collection_bytes=Message(bytes=bodies))
    else:
        value = TypedData(collection_string=Message(string=[_text(one) for one in bodies]))
    columns = [_facts(event) for event in events]
    arrays = {f"{name}Array": [facts[name] for facts in columns] for name in columns[0]}
    return Given(value, _json({**arrays, "PartitionContext": partition}))


def one(event: EventData, partition: Mapping[str, Any] | None, *, binary: bool) -> Given:
    """Write a single event (cardinality one); raises UnreadableEvent."""
    content = body(event)
    value = TypedData(bytes=content) if binary else TypedData(string=_text(content))
    return Given(value, _json({**_facts(event), "PartitionContext": partition}))


def body(event: EventData) -> bytes:
    """Read an event's body; raises UnreadableEvent."""
    if event.body_type != AmqpMessageBodyType.DATA:
        raise UnreadableEvent(f"event {event.sequence_number} has an AMQP body of the kind {event.body_type.value}")
    content = event.body
    return content if isinstance(content, bytes) else b"".join(content)  # type: ignore[arg-type]


class WaitingEvents:
    """The events of one partition that wait until there are `least`, or the first of them has waited for `longest`."""

    def __init__(self, least: int, most: int, longest: timedelta) -> None:
        self._least, self._most, self._longest = least, most, longest
        self._events: list[EventData] = []
        self._since: datetime | None = None

    def take(self, arrived: Sequence[EventData], now: datetime) -> list[EventData]:
        """Add what arrived and give the next batch, at most `most`; an empty one while there are too few."""
        self._events += arrived
        if self._events and self._since is None:
            self._since = now
        ripe = self._since is not None and now - self._since >= self._longest
        if len(self._events) < self._least and not ripe:
            return []
        batch, self._events = self._events[: self._most], self._events[self._most :]
        self._since = now if self._events else None
        return batch


def _facts(event: EventData) -> dict[str, Any]:
    """Give the metadata of one event; one that came from no hub has what a new EventData has in .NET."""
    sequence_number = event.sequence_number
    own = {
        "SequenceNumber": _LOWEST_SEQUENCE_NUMBER if sequence_number is None else sequence_number,
        "Offset": event.offset,
        "PartitionKey": _plain(event.partition_key),
        "EnqueuedTimeUtc": _time(event.enqueued_time or _NEVER),
    }
    system = {_plain(name): _plain(value) for name, value in event.system_properties.items()}
    properties = {_plain(name): _plain(value) for name, value in (event.properties or {}).items()}
    return {**own, "Properties": properties, "SystemProperties": system | own}


def _json(facts: Mapping[str, Any]) -> dict[str, TypedData]:
    return {name: TypedData(json=json.dumps(value, default=str)) for name, value in facts.items()}


def _text(content: bytes) -> str:
    """Decode as .NET does: what is no UTF-8 becomes the replacement character."""
    return content.decode(errors="replace")


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever AMQP can carry
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _time(moment: datetime) -> str:
    """Write a time in UTC without a zone, as .NET writes a DateTime that came from a DateTimeOffset."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()
