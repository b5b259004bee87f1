"""Received events as columns of Arrow."""

from collections.abc import Sequence

import pyarrow as pa
from azure.eventhub import EventData

from lakehouse.decoding import text_of

COLUMNS = pa.schema(
    [
        ("body", pa.binary()),
        ("partition", pa.string()),
        ("offset", pa.string()),
        ("sequence_number", pa.int64()),
        ("enqueued_at", pa.timestamp("us", "UTC")),
        ("partition_key", pa.string()),
        ("properties", pa.map_(pa.string(), pa.string())),
    ]
)


def columns_of(events: Sequence[EventData], partition: str) -> pa.RecordBatch:
    """Turn the events of one partition into columns, in their order."""
    messages = [event.raw_amqp_message for event in events]
    annotations = [message.annotations or {} for message in messages]
    columns = [
        pa.array([b"".join(message.body) for message in messages], pa.binary()),
        pa.repeat(pa.scalar(partition), len(events)),
        _texts([found.get(_OFFSET) for found in annotations]),
        pa.array([found[_SEQUENCE_NUMBER] for found in annotations], pa.int64()),
        pa.array([found[_ENQUEUED_MS] * 1000 for found in annotations], pa.timestamp("us", "UTC")),
        _texts([found.get(_PARTITION_KEY) for found in annotations]),
        _properties([message.application_properties or {} for message in messages]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=COLUMNS)


def _texts(values: Sequence[object]) -> pa.Array:
    return pa.array(list(map(text_of, values)), pa.string())


def _properties(found: Sequence[dict[str | bytes, object]]) -> pa.Array:
    names = pa.array([text_of(name) for properties in found for name in properties], pa.string())
    values = pa.array([text_of(value) for properties in found for value in properties.values()], pa.string())
    ends = [0]
    for properties in found:
        ends.append(ends[-1] + len(properties))
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), names, values)


_OFFSET, _SEQUENCE_NUMBER = b"x-opt-offset", b"x-opt-sequence-number"
_ENQUEUED_MS, _PARTITION_KEY = b"x-opt-enqueued-time", b"x-opt-partition-key"
