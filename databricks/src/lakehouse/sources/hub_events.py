"""Received events as columns of Arrow."""

from collections.abc import Sequence
from itertools import accumulate, chain

import pyarrow as pa
from azure.eventhub import EventData
from azure.eventhub.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType

from lakehouse.streams.decoding import text_of

_MICROSECONDS = pa.timestamp("us", "UTC")
COLUMNS = pa.schema(
    [
        ("body", pa.binary()),
        ("partition", pa.string()),
        ("offset", pa.string()),
        ("sequence_number", pa.int64()),
        ("enqueued_at", _MICROSECONDS),
        ("partition_key", pa.string()),
        ("properties", pa.map_(pa.string(), pa.string())),
        ("epoch", pa.string()),
    ]
)


def columns_of(events: Sequence[EventData], partition: str, epoch: str) -> pa.RecordBatch:
    """Turn the events of one partition of a hub's epoch into columns, in their order."""
    messages = [event.raw_amqp_message for event in events]
    annotations = [message.annotations or {} for message in messages]
    columns = [
        pa.array(list(map(_body, messages)), pa.binary()),
        pa.repeat(pa.scalar(partition), len(events)),
        _texts([found.get(_OFFSET) for found in annotations]),
        pa.array([found[_SEQUENCE_NUMBER] for found in annotations], pa.int64()),
        pa.array([found[_ENQUEUED_MS] for found in annotations], pa.timestamp("ms", "UTC")).cast(_MICROSECONDS),
        _texts([found.get(_PARTITION_KEY) for found in annotations]),
        _properties([message.application_properties or {} for message in messages]),
        pa.repeat(pa.scalar(epoch), len(events)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=COLUMNS)


def _body(message: AmqpAnnotatedMessage) -> bytes | None:
    """Take the data sections as one; other clients may send a value or a sequence in their place, or nothing at all."""
    body = message.body
    if message.body_type != AmqpMessageBodyType.DATA:
        text = text_of(list(body) if message.body_type == AmqpMessageBodyType.SEQUENCE else body)
        return body if isinstance(body, bytes) or text is None else text.encode(errors="replace")
    return b"".join(body)


def _properties(found: Sequence[dict[str | bytes, object]]) -> pa.Array:
    names = _texts(list(chain.from_iterable(found)))
    values = _texts(list(chain.from_iterable(properties.values() for properties in found)))
    ends = accumulate(map(len, found), initial=0)
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), names, values)


def _texts(values: Sequence[object]) -> pa.Array:
    """Spell values as `text_of` does, all at once where they are what most are: UTF-8, as the client leaves texts."""
    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array(list(map(text_of, values)), pa.string())


_OFFSET, _SEQUENCE_NUMBER = b"x-opt-offset", b"x-opt-sequence-number"
_ENQUEUED_MS, _PARTITION_KEY = b"x-opt-enqueued-time", b"x-opt-partition-key"
