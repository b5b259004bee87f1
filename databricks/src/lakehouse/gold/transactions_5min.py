"""`gold.transactions_5min`: how many payments the accounts of a country made in each five minutes, and how much."""

from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.buckets import Buckets, bucket_of
from lakehouse.pipelines.table import Column, Table

_WIDTH = timedelta(minutes=5)
_TIME = "transactionDateTime"


def build(transactions: DataFrame) -> DataFrame:
    """Count and sum up by the payments' own time; a sum of more digits than its column holds is null."""
    grouped = transactions.groupBy(bucket_of(F.col(_TIME), _WIDTH).alias("bucket_start"), "accountCountry")
    return grouped.agg(F.count("*").alias("transaction_count"), F.try_sum("transactionAmountUSD").alias("amount_usd"))


TABLE = Table(
    name="transactions_5min",
    comment="Payments by country of the account and five minutes of their own time, late ones where they belong.",
    columns=(
        Column("bucket_start", "timestamp", "when the five minutes begin, UTC", required=True),
        Column(
            "accountCountry",
            "string",
            "ISO 3166 code of the accounts' country",
            of="transactions.accountCountry",
            required=True,
        ),
        Column("transaction_count", "long", "payments"),
        Column("amount_usd", "decimal(38,18)", "their amounts together, in US dollars"),
    ),
    key=("bucket_start", "accountCountry"),
    kind=Buckets("transactions", _WIDTH, _TIME, "bucket_start"),
    inputs=("transactions",),
    build=build,
    sql="transactions_5min",
    clustered_by=("bucket_start",),
    time="bucket_start",
)
