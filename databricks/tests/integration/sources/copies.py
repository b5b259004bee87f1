"""The events of a hub written a second time: to Kafka as its Kafka endpoint shows them, and to Avro as Capture does."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import fastavro
from azure.eventhub import EventData
from azure.eventhub._pyamqp._encode import encode_value
from pyspark.sql import SparkSession

_VALUES = {"type": "map", "values": ["long", "double", "string", "bytes"]}
_CAPTURED = fastavro.parse_schema(
    {
        "type": "record",
        "name": "EventData",
        "namespace": "Microsoft.ServiceBus.Messaging",
        "fields": [
            {"name": "SequenceNumber", "type": "long"},
            {"name": "Offset", "type": "string"},
            {"name": "EnqueuedTimeUtc", "type": "string"},
            {"name": "SystemProperties", "type": _VALUES},
            {"name": "Properties", "type": _VALUES},
            {"name": "Body", "type": ["null", "bytes"]},
        ],
    }
)


def copy_to_kafka(spark: SparkSession, broker: str, topic: str, events: Mapping[str, Sequence[EventData]]) -> None:
    """Produce the events to the same partitions, in their order, headers encoded as AMQP values."""
    jvm = spark._jvm
    settings = jvm.java.util.Properties()
    for name, value in _PRODUCER.items():
        settings.setProperty(name, value)
    settings.setProperty("bootstrap.servers", broker)
    producer = jvm.org.apache.kafka.clients.producer.KafkaProducer(settings)
    for partition, found in events.items():
        for event in found:
            producer.send(_record(jvm, topic, int(partition), event)).get()
    producer.close()


def copy_to_capture(root: Path, hub: str, events: Mapping[str, Sequence[EventData]]) -> None:
    """Write one Avro file for each partition, and an empty one beside it, as Capture does in quiet minutes."""
    for partition, found in events.items():
        folder = root / "local" / hub / partition / "2026/11/22/10"
        for minute, content in (("05", map(_captured, found)), ("06", ())):
            (folder / minute).mkdir(parents=True)
            with (folder / minute / "00.avro").open("wb") as file:
                fastavro.writer(file, _CAPTURED, content, codec="deflate")


def write_captured(file: Path, numbers: Sequence[int], at: datetime, body: bytes | None = b"{}") -> None:
    """Write events of these sequence numbers as Capture does, enqueued at a time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    place = {"EnqueuedTimeUtc": _us_time(at.astimezone(UTC)), "SystemProperties": {}, "Properties": {}, "Body": body}
    with file.open("wb") as target:
        fastavro.writer(target, _CAPTURED, [{"SequenceNumber": n, "Offset": str(n), **place} for n in numbers])


def _record(jvm: object, topic: str, partition: int, event: EventData) -> object:
    headers = jvm.java.util.ArrayList()
    for name, value in event.properties.items():
        headers.add(jvm.org.apache.kafka.common.header.internals.RecordHeader(name.decode(), _encoded(value)))
    milliseconds = int(event.enqueued_time.timestamp() * 1000)
    make = jvm.org.apache.kafka.clients.producer.ProducerRecord
    return make(topic, partition, milliseconds, event.partition_key, b"".join(event.body), headers)


def _encoded(value: object) -> bytes:
    """Encode as the sender did: a received string comes as bytes."""
    encoded = bytearray()
    encode_value(encoded, value.decode() if isinstance(value, bytes) else value)
    return bytes(encoded)


def _captured(event: EventData) -> dict[str, object]:
    system = {} if event.partition_key is None else {"x-opt-partition-key": event.partition_key.decode()}
    read = {
        name.decode(): value.decode() if isinstance(value, bytes) else value for name, value in event.properties.items()
    }
    return {
        "SequenceNumber": event.sequence_number,
        "Offset": event.offset,
        "EnqueuedTimeUtc": _us_time(event.enqueued_time.astimezone(UTC)),
        "SystemProperties": system,
        "Properties": read,
        "Body": b"".join(event.body),
    }


def _us_time(time: datetime) -> str:
    return f"{time.month}/{time.day}/{time.year} {time:%I:%M:%S %p}"


_PRODUCER = {
    "key.serializer": "org.apache.kafka.common.serialization.ByteArraySerializer",
    "value.serializer": "org.apache.kafka.common.serialization.ByteArraySerializer",
}
