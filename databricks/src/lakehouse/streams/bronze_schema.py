"""The one shape in which every source hands events over, and bronze keeps them."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BinaryType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

ARRIVED = StructType(
    [
        StructField("body", BinaryType()),
        StructField("partition", StringType()),
        StructField("offset", StringType()),
        StructField("sequence_number", LongType()),
        StructField("enqueued_at", TimestampType()),
        StructField("partition_key", StringType()),
        StructField("properties", MapType(StringType(), StringType())),
    ]
)
"""An event as a source reads it. `offset` is the source's own word for a position: sources differ in it."""

BRONZE = StructType([*ARRIVED.fields, StructField("ingested_at", TimestampType())])
"""An event as bronze keeps it; (`partition`, `sequence_number`) names it."""

KEY = ("partition", "sequence_number")


def as_bronze(arrived: DataFrame) -> DataFrame:
    """Add the time of ingestion and put the columns in bronze's order and types."""
    return arrived.withColumn("ingested_at", F.current_timestamp()).select(*map(_typed, BRONZE.fields))


def _typed(field: StructField) -> Column:
    return F.col(field.name).cast(field.dataType).alias(field.name)
