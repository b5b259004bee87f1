"""Events by the Kafka endpoint of Event Hubs: the way in production."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StringType

from lakehouse.request import Stream
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.epoch import epoch_of, folder_of
from lakehouse.sources.reading import QueryEnd, Reading, Take, run_query
from lakehouse.streams.bronze_schema import as_bronze
from lakehouse.streams.decoding import properties_of


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """A hub is a topic; `options` are those of Spark's Kafka source.

    On Event Hubs the Kafka offset of an event is its sequence number. The partition key of an event that came by AMQP
    is not shown to Kafka readers: `partition_key` is the Kafka key, so null for such an event.
    """

    options: Mapping[str, str] = field(repr=False)
    max_events_a_batch: int

    @classmethod
    def of(cls, config: SourceConfig) -> "KafkaSource":
        """Log in to Event Hubs, or take the configuration's own options; raises SourceRefused."""
        config.need_positive("max_events_a_batch")
        return cls(dict(config.kafka) or event_hubs_options(config), config.max_events_a_batch)

    def open(self, stream: Stream) -> "Topic":
        """Take the stream's word for when its hub was created: Kafka readers are not told."""
        reading = {
            "subscribe": stream.hub,
            "startingOffsets": "earliest",
            "includeHeaders": "true",
            "failOnDataLoss": "false",  # what retention took is gone: the rest is read, and bronze tells the hole
            "maxOffsetsPerTrigger": str(self.max_events_a_batch),
        }
        return Topic(epoch_of(stream.created_at), {**self.options, **reading})


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of one epoch. Each epoch has a checkpoint of its own, so a hub made anew is read from its beginning.

    A hub that is made anew while a run reads it is not noticed before the next run is told of it; what this one read of
    the new hub gets its right epoch then.
    """

    epoch: str
    options: Mapping[str, str] = field(repr=False)

    def read(self, reading: Reading, take: Take) -> Mapping[str, int]:
        """Read by a query; where one had to repeat what another process began, it may have done no more than that."""
        end = self._query(reading, take)
        if reading.is_first and end.took:
            end = self._query(reading, take)
        offsets = cast("Mapping[str, int]", end.offset.get(reading.stream.hub, {}))
        return {partition: after - 1 for partition, after in offsets.items()}

    def _query(self, reading: Reading, take: Take) -> QueryEnd:
        records = reading.lake.spark.readStream.format("kafka").options(**self.options).load()
        events = as_bronze(records.transform(_arrived).withColumn("epoch", F.lit(reading.epoch)))
        return run_query(events, reading, folder_of(reading.stream.name, reading.label, reading.epoch), take)


def event_hubs_options(config: SourceConfig) -> dict[str, str]:
    """Spell the login to Event Hubs for Spark's Kafka source; raises SourceRefused for an empty field.

    By a service credential of Unity Catalog where the configuration names one: Databricks then makes all the other
    options of the login itself, and none may stand beside it
    (https://learn.microsoft.com/azure/databricks/connect/streaming/kafka/authentication).

    Else as a service principal: OAUTHBEARER over TLS, client credentials. Databricks' Kafka client is shaded: its
    classes have a prefix. From version 4.0 on Kafka's client asks no address for a token that the JVM's property
    `org.apache.kafka.sasl.oauthbearer.allowed.urls` does not name: a cluster of a runtime with such a client needs
    `spark.driver.extraJavaOptions` and `spark.executor.extraJavaOptions` with
    `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=https://login.microsoftonline.com/<tenant>/oauth2/v2.0/token`
    (3.9.1, the one of Spark 4.1 itself, allows every address where the property is not set).
    """
    if config.service_credential:
        config.need("namespace")
        return {"databricks.serviceCredential": config.service_credential, **_connection(config)}
    config.need("namespace", "tenant_id", "client_id", "client_secret")
    prefix = "kafkashaded." if config.on_databricks else ""
    oauth = f"{prefix}org.apache.kafka.common.security.oauthbearer"
    authority = config.authority_host or "https://login.microsoftonline.com"
    login = {
        "clientId": config.client_id,
        "clientSecret": config.client_secret,
        "scope": f"https://{config.namespace}/.default",
        **_trust(config),
    }
    return {
        **_connection(config),
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "OAUTHBEARER",
        "kafka.sasl.jaas.config": f"{oauth}.OAuthBearerLoginModule required {_jaas(login)};",
        "kafka.sasl.login.callback.handler.class": f"{oauth}.secured.OAuthBearerLoginCallbackHandler",
        "kafka.sasl.oauthbearer.token.endpoint.url": f"{authority}/{config.tenant_id}/oauth2/v2.0/token",
        **{f"kafka.{name}": value for name, value in _trust(config).items()},
    }


def _connection(config: SourceConfig) -> dict[str, str]:
    return {
        "kafka.bootstrap.servers": config.endpoint or f"{config.namespace}:9093",
        "kafka.request.timeout.ms": "60000",
        "kafka.session.timeout.ms": "30000",
    }


def _trust(config: SourceConfig) -> dict[str, str]:
    """Trust the authority of one machine; in Azure what Java trusts is right."""
    return {"ssl.truststore.type": "PEM", "ssl.truststore.location": config.ca_bundle} if config.ca_bundle else {}


def _jaas(values: Mapping[str, str]) -> str:
    return " ".join(f'{name}="{_escaped(value)}"' for name, value in values.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _decode(headers: str) -> Column:
    decode = F.arrow_udf(_decoded, MapType(StringType(), StringType()))  # type: ignore[attr-defined]  # not in its stubs
    return cast("Column", decode(headers))


def _arrived(records: DataFrame) -> DataFrame:
    return records.select(
        F.col("value").alias("body"),
        F.col("partition").cast("string"),
        F.col("offset").cast("string"),
        F.col("offset").alias("sequence_number"),
        F.col("timestamp").alias("enqueued_at"),
        F.col("key").cast("string").alias("partition_key"),
        _decode("headers").alias("properties"),
    )


def _decoded(headers: pa.Array) -> pa.Array:
    """Decode a column of list<struct<key, value>> to map<string, string>; a record without headers has none."""
    fields = headers.flatten()
    pairs = iter(zip(fields.field(0).to_pylist(), fields.field(1).to_pylist(), strict=True))
    decoded = [properties_of(list(islice(pairs, count or 0))) for count in headers.value_lengths().to_pylist()]
    return pa.array([list(properties.items()) for properties in decoded], pa.map_(pa.string(), pa.string()))
