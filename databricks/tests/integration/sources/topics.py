"""What happens to Kafka's topics, done by the clients in Spark's own JVM."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import SparkSession

_BYTES = "org.apache.kafka.common.serialization.ByteArraySerializer"


def produce(
    spark: SparkSession, broker: str, topic: str, values: Sequence[bytes | None], at: datetime, partition: int = 0
) -> None:
    """Send values to a partition, in their order, as enqueued at a time."""
    jvm = spark._jvm
    producer = jvm.org.apache.kafka.clients.producer.KafkaProducer(
        _properties(jvm, broker, **{"key.serializer": _BYTES, "value.serializer": _BYTES})
    )
    make = jvm.org.apache.kafka.clients.producer.ProducerRecord
    for value in values:
        producer.send(make(topic, partition, int(at.timestamp() * 1000), None, value)).get()
    producer.close()


def delete_records(spark: SparkSession, broker: str, topic: str, before: int, partition: int = 0) -> None:
    """Delete a partition's records before an offset, as retention does."""
    jvm = spark._jvm
    to_delete = jvm.java.util.HashMap()
    place = jvm.org.apache.kafka.common.TopicPartition(topic, partition)
    to_delete.put(place, _before(spark, before))
    admin = jvm.org.apache.kafka.clients.admin.AdminClient.create(_properties(jvm, broker))
    admin.deleteRecords(to_delete).all().get()
    admin.close()


def delete_topic(spark: SparkSession, broker: str, topic: str) -> None:
    """Delete a topic and wait until it is gone, so that one of its name can be made anew."""
    jvm = spark._jvm
    admin = jvm.org.apache.kafka.clients.admin.AdminClient.create(_properties(jvm, broker))
    admin.deleteTopics(jvm.java.util.List.of(topic)).all().get()
    while admin.listTopics().names().get().contains(topic):
        pass
    admin.close()


def _before(spark: SparkSession, offset: int) -> object:
    """Call the static `RecordsToDelete.beforeOffset`, which py4j does not see beside the method of the same name."""
    jvm, array_of = spark._jvm, spark.sparkContext._gateway.new_array
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    types, arguments = array_of(jvm.java.lang.Class, 1), array_of(jvm.java.lang.Object, 1)
    types[0], arguments[0] = jvm.java.lang.Long.TYPE, offset
    found = loader.loadClass("org.apache.kafka.clients.admin.RecordsToDelete")
    return found.getMethod("beforeOffset", types).invoke(None, arguments)


def _properties(jvm: object, broker: str, **more: str) -> object:
    properties = jvm.java.util.Properties()
    for name, value in ({"bootstrap.servers": broker} | more).items():
        properties.setProperty(name, value)
    return properties
