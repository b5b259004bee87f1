"""Capture's files: an event as an Avro row, a run of events as a file, and the blob container it is put in."""

import io
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import fastavro
from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob import BlobServiceClient
from proton import Message, ProtonException

NAMESPACE = "local"
_VALUES = ["long", "double", "string", "bytes"]
_SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "EventData",
        "namespace": "Microsoft.ServiceBus.Messaging",
        "fields": [
            {"name": "SequenceNumber", "type": "long"},
            {"name": "Offset", "type": "string"},
            {"name": "EnqueuedTimeUtc", "type": "string"},
            {"name": "SystemProperties", "type": {"type": "map", "values": _VALUES}},
            {"name": "Properties", "type": {"type": "map", "values": _VALUES}},
            {"name": "Body", "type": ["null", "bytes"]},
        ],
    }
)
_CODEC = "deflate"
_AMQP_PROPERTIES = {"message-id": "id", "correlation-id": "correlation_id", "content-type": "content_type"}
_LONGEST_LONG = 2**63
_NOON = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONNECT_SECONDS, _READ_SECONDS = 5, 20

type StoredEvent = tuple[int, int, bytes]
"""Sequence number, enqueued time in milliseconds since 1970, and the message as the publisher encoded it."""
type AvroValue = int | float | str | bytes


class CaptureUnavailable(Exception):
    """A file could not be written just now."""


class FileSink(Protocol):
    """Keeps files by path; may be called from any thread."""

    def put(self, path: str, content: bytes) -> None:
        """Write a file, over one of that path; raises CaptureUnavailable."""


class BlobSink:
    """One container of a storage account, made when first needed."""

    def __init__(self, connection_string: str, container: str) -> None:
        self._container = BlobServiceClient.from_connection_string(
            connection_string, retry_total=0, connection_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS
        ).get_container_client(container)
        self._is_made = False

    def put(self, path: str, content: bytes) -> None:
        """Upload one block blob."""
        try:
            self._make_container()
            self._container.upload_blob(path, content, overwrite=True)
        except AzureError as error:
            raise CaptureUnavailable(type(error).__name__) from error

    def _make_container(self) -> None:
        if not self._is_made:
            with suppress(ResourceExistsError):
                self._container.create_container()
            self._is_made = True


def blob_path(hub: str, partition_id: str, moment: datetime) -> str:
    """Write `{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}.avro`."""
    return f"{NAMESPACE}/{hub}/{partition_id}/{moment:%Y/%m/%d/%H/%M/%S}.avro"


def avro_file(events: Iterable[StoredEvent], epoch_offset: int) -> bytes:
    """Encode events as one Avro file; `epoch_offset` plus the sequence number is an event's offset."""
    content = io.BytesIO()
    fastavro.writer(content, _SCHEMA, (avro_row(event, epoch_offset) for event in events), codec=_CODEC)
    return content.getvalue()


def avro_row(event: StoredEvent, epoch_offset: int) -> dict[str, Any]:
    """Write one event in Capture's columns."""
    sequence, enqueued_ms, raw = event
    message = _decoded(raw)
    properties: Any = message.properties
    return {
        "SequenceNumber": sequence,
        "Offset": str(epoch_offset + sequence),
        "EnqueuedTimeUtc": us_time(_EPOCH + timedelta(milliseconds=enqueued_ms)),
        "SystemProperties": _system_properties(message) | {"x-opt-enqueued-time": enqueued_ms},
        "Properties": {str(name): avro_value(value) for name, value in (properties or {}).items()},
        "Body": _body(message.body),
    }


def us_time(moment: datetime) -> str:
    """Write a time as .NET does for the United States: `11/3/2026 7:05:41 PM`, nothing below a second."""
    half = "AM" if moment.hour < _NOON else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % _NOON or _NOON}:{moment:%M:%S} {half}"


def avro_value(value: object) -> AvroValue:
    """Fit a property's value into what the schema's maps may hold; what is none of it is written as text."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool) and -_LONGEST_LONG <= value < _LONGEST_LONG:
        return int(value)
    return str(value)


def _decoded(raw: bytes) -> Message:
    """Decode a message; one that proton can't read is kept whole as a body, so that it stops nothing."""
    message = Message()
    try:
        message.decode(raw)
    except (ProtonException, UnicodeDecodeError):
        return Message(body=raw)
    return message


def _system_properties(message: Message) -> dict[str, AvroValue]:
    """Write the annotations, and of AMQP's own properties those that Event Hubs clients can set."""
    named = {name: getattr(message, attribute) for name, attribute in _AMQP_PROPERTIES.items()}
    annotations: Any = message.annotations
    # Proton reads a symbol that isn't set as the text "None".
    given = {name: value for name, value in named.items() if value is not None and str(value) not in {"", "None"}}
    return {str(name): avro_value(value) for name, value in ((annotations or {}) | given).items()}


def _body(body: object) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, memoryview | bytearray):
        return bytes(body)
    return str(body).encode()
