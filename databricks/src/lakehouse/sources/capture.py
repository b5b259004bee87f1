"""Events out of the Avro files that Event Hubs Capture writes."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.streams.bronze_schema import as_bronze
from lakehouse.sources.configuration import SourceConfig


@dataclass(frozen=True, slots=True)
class CaptureSource:
    """A hub's files lie in `<root>/<namespace>/<hub>/<partition>/…/*.avro`.

    Capture writes the time at which an event was enqueued to the second.
    """

    root: str

    @classmethod
    def of(cls, config: SourceConfig) -> "CaptureSource":
        """Read under the configuration's `capture_root`."""
        config.need("capture_root")
        return cls(config.capture_root.rstrip("/"))

    def events(self, spark: SparkSession, hub: str) -> DataFrame:
        """Return the hub's events, file by file as they appear."""
        files = (
            spark.readStream.format("avro")
            .schema(_COLUMNS)
            .option("avroSchema", _READER_SCHEMA)
            .option("recursiveFileLookup", "true")
            .option("pathGlobFilter", "*.avro")
            .load(f"{self.root}/*/{hub}")
        )
        return as_bronze(files.transform(_arrived))


def _arrived(captured: DataFrame) -> DataFrame:
    path = F.col("_metadata.file_path")
    return captured.select(
        F.coalesce("Body", F.lit(b"")).alias("body"),
        F.regexp_extract(path, _PARTITION_IN_PATH, 1).alias("partition"),
        F.col("Offset").alias("offset"),
        F.col("SequenceNumber").alias("sequence_number"),
        F.to_timestamp(F.concat("EnqueuedTimeUtc", F.lit(" Z")), _US_TIME).alias("enqueued_at"),
        _text(F.col("SystemProperties").getItem("x-opt-partition-key")).alias("partition_key"),
        F.transform_values("Properties", lambda _, value: _text(value)).alias("properties"),
    )


def _text(value: Column) -> Column:
    """Spell whichever of the union's types is there."""
    return F.coalesce(*(value.getField(f"member{n}").cast("string") for n in range(4)))


_PARTITION_IN_PATH = r"/([^/]+)/\d{4}/\d{2}/\d{2}/\d{2}/\d{2}/[^/]+\.avro$"
_US_TIME = "M/d/yyyy h:mm:ss a X"
_VALUE = "struct<member0: bigint, member1: double, member2: string, member3: binary>"
_COLUMNS = (
    "SequenceNumber bigint, Offset string, EnqueuedTimeUtc string, "
    f"SystemProperties map<string, {_VALUE}>, Properties map<string, {_VALUE}>, Body binary"
)
_READER_SCHEMA = """
{
  "type": "record",
  "name": "EventData",
  "namespace": "Microsoft.ServiceBus.Messaging",
  "fields": [
    {"name": "SequenceNumber", "type": "long"},
    {"name": "Offset", "type": "string"},
    {"name": "EnqueuedTimeUtc", "type": "string"},
    {"name": "SystemProperties", "type": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]}},
    {"name": "Properties", "type": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]}},
    {"name": "Body", "type": ["null", "bytes"]}
  ]
}
"""
