"""Events by the Kafka endpoint of Event Hubs: the way in production."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import cast

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StringType

from lakehouse.streams.bronze_schema import as_bronze
from lakehouse.streams.decoding import properties_of
from lakehouse.sources.configuration import SourceConfig


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """A hub is a topic; `options` are those of Spark's Kafka source.

    On Event Hubs the Kafka offset of an event is its sequence number. The partition key of an event that came by AMQP
    is not shown to Kafka readers: `partition_key` is the Kafka key, so null for such an event.
    """

    options: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, config: SourceConfig) -> "KafkaSource":
        """Log in to Event Hubs as the service principal, or take the configuration's own options."""
        return cls(dict(config.kafka) or event_hubs_options(config))

    def events(self, spark: SparkSession, hub: str) -> DataFrame:
        """Return the topic's events, the headers read as application properties."""
        options = {"startingOffsets": "earliest", **self.options, "subscribe": hub, "includeHeaders": "true"}
        return as_bronze(spark.readStream.format("kafka").options(**options).load().transform(_arrived))


def event_hubs_options(config: SourceConfig) -> dict[str, str]:
    """Spell the login of a service principal for Spark's Kafka source (OAUTHBEARER over TLS, client credentials).

    Databricks' Kafka client is shaded: its classes have a prefix. Raises SourceRefused for an empty field.
    """
    config.need("namespace", "tenant_id", "client_id", "client_secret")
    prefix = "kafkashaded." if config.on_databricks else ""
    oauth = f"{prefix}org.apache.kafka.common.security.oauthbearer"
    authority = config.authority_host or "https://login.microsoftonline.com"
    login = {
        "clientId": config.client_id,
        "clientSecret": config.client_secret,
        "scope": f"https://{config.namespace}/.default",
    }
    return {
        "kafka.bootstrap.servers": f"{config.namespace}:9093",
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "OAUTHBEARER",
        "kafka.sasl.jaas.config": f"{oauth}.OAuthBearerLoginModule required {_jaas(login)};",
        "kafka.sasl.login.callback.handler.class": f"{oauth}.secured.OAuthBearerLoginCallbackHandler",
        "kafka.sasl.oauthbearer.token.endpoint.url": f"{authority}/{config.tenant_id}/oauth2/v2.0/token",
        "kafka.request.timeout.ms": "60000",
        "kafka.session.timeout.ms": "30000",
    }


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
