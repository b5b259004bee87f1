"""The one shape in which every source hands events over, and bronze keeps them."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BinaryType,
    DataType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)


def _column(name: str, kind: DataType, comment: str) -> StructField:
    return StructField(name, kind, metadata={"comment": comment})


ARRIVED = StructType(
    [
        _column("body", BinaryType(), "The event's body as it came; null for an event without one."),
        _column("partition", StringType(), "The hub's partition."),
        _column("offset", StringType(), "The source's own word for the position: sources differ in it."),
        _column("sequence_number", LongType(), "The event's number in its partition."),
        _column("enqueued_at", TimestampType(), "When the hub took the event; Capture gives it to the second."),
        _column("partition_key", StringType(), "The key that chose the partition, where the source shows it."),
        _column("properties", MapType(StringType(), StringType()), "The event's application properties, as text."),
        _column("epoch", StringType(), "When the hub was created, ISO in UTC; empty where that is unknown."),
    ]
)
"""An event as a source reads it."""

TAKEN = StructType([*ARRIVED.fields, _column("ingested_at", TimestampType(), "When bronze took the event.")])
"""An event as a source hands it over to bronze."""

HUB = "hub"
BRONZE = StructType(
    [*TAKEN.fields, _column(HUB, StringType(), "The hub's name; null for the hub that the stream had first.")]
)
"""An event as bronze keeps it; `KEY` names it."""

KEY_IN_HUB = ("epoch", "partition", "sequence_number")
KEY = (HUB, *KEY_IN_HUB)


def as_bronze(arrived: DataFrame) -> DataFrame:
    """Add the time of ingestion and put the columns in bronze's order and types."""
    return arrived.withColumn("ingested_at", F.current_timestamp()).select(*map(_typed, TAKEN.fields))


def of_hub(label: str) -> Column:
    """Say whether a row of bronze is of the hub of that name; of the stream's first one where it is empty.

    Rows from before there could be several hubs have no name.
    """
    return F.coalesce(F.col(HUB), F.lit("")) == label


def _typed(field: StructField) -> Column:
    return F.col(field.name).cast(field.dataType).alias(field.name)
