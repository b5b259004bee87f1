"""The two event schemas: what a publisher may send, and an event as a subscription's schema has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

LARGEST_REQUEST = 1024 * 1024
MOST_EVENTS = 5000
_SINGLE, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"

type _Filled = Annotated[str, msgspec.Meta(min_length=1)]


class MalformedEvents(ValueError):
    """What was published is not what a schema asks for; the text names event and field."""


class Schema(StrEnum):
    """The schemas of basic topics, as Azure Resource Manager names them."""

    EVENT_GRID = "EventGridSchema"
    CLOUD_EVENTS = "CloudEventSchemaV1_0"


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted event: the JSON object that its schema asks for."""

    schema: Schema
    fields: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The publisher's id."""
        return str(self.fields["id"])

    @property
    def subject(self) -> str:
        """The subject; a CloudEvent may have none, which is the empty one."""
        return self.fields.get("subject") or ""

    @property
    def type(self) -> str:
        """The event type."""
        return str(self.fields["eventType" if self.schema is Schema.EVENT_GRID else "type"])


def parse_events(body: bytes, content_type: str, topic: str) -> list[Event]:
    """Read a published request; `topic` is the resource id that Event Grid events are stamped with.

    The schema follows from the content type: CloudEvents (one, or a batch) where it says so, else an array of
    Event Grid events. Raises MalformedEvents.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedEvents(f"The body is not JSON: {error}.") from error
    if content_type == _SINGLE:
        found = [found]
    _check_array(found)
    if content_type in {_SINGLE, _BATCH}:
        return [Event(Schema.CLOUD_EVENTS, _checked(fields, _CloudEvent, place)) for place, fields in enumerate(found)]
    return [_grid_event(fields, place, topic) for place, fields in enumerate(found)]


def as_schema(event: Event, schema: Schema) -> Mapping[str, Any]:
    """Write an event in the schema of a subscription; LookupError where Azure has no way from one to the other."""
    if event.schema is schema:
        return event.fields
    if schema is Schema.EVENT_GRID:
        raise LookupError("A CloudEvent can't be delivered in EventGridSchema.")
    fields = event.fields
    return {
        "specversion": "1.0",
        "id": fields["id"],
        "source": fields["topic"],
        "type": fields["eventType"],
        "subject": fields["subject"],
        "time": fields["eventTime"],
        "dataschema": f"#{fields['dataVersion']}",
        "data": fields.get("data"),
    }


class _GridEvent(msgspec.Struct, rename="camel"):
    id: _Filled
    subject: _Filled
    event_type: _Filled
    event_time: datetime
    topic: str | None = None
    data_version: str | None = None
    metadata_version: Literal["1", ""] | None = None


class _CloudEvent(msgspec.Struct):
    id: _Filled
    source: _Filled
    type: _Filled
    specversion: Literal["1.0"]
    subject: str | None = None
    time: datetime | None = None


def _check_array(found: Any) -> None:  # noqa: ANN401 (untrusted JSON)
    if not isinstance(found, list) or not found:
        raise MalformedEvents("The body must be a JSON array of at least one event.")
    if len(found) > MOST_EVENTS:
        raise MalformedEvents(f"The array holds {len(found)} events; {MOST_EVENTS} is the most.")


def _grid_event(fields: Any, place: int, topic: str) -> Event:  # noqa: ANN401 (untrusted JSON)
    checked = _checked(fields, _GridEvent, place)
    if checked.get("topic") not in {None, "", topic}:
        raise MalformedEvents(f"Event {place}: `topic` is {checked['topic']!r}; leave it out, or give {topic!r}.")
    stamped = {"topic": topic, "dataVersion": checked.get("dataVersion") or "", "metadataVersion": "1"}
    return Event(Schema.EVENT_GRID, {**checked, **stamped})


def _checked(fields: Any, wanted: type[msgspec.Struct], place: int) -> Mapping[str, Any]:  # noqa: ANN401
    try:
        msgspec.convert(fields, wanted)
    except msgspec.ValidationError as error:
        raise MalformedEvents(f"Event {place}: {error}.") from error
    named: Mapping[str, Any] = fields
    return named


def type_names(events: Sequence[Event]) -> str:
    """List the distinct types of events, for a log line."""
    return ",".join(sorted({event.type for event in events}))
