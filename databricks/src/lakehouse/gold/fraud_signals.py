"""`gold.fraud_signals`: accounts whose payments of an hour give a reason to look at them.

It is not published to SQL: its rows grow with the number of accounts, and each pass makes an hour anew.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import reduce

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.buckets import Buckets, bucket_of
from lakehouse.pipelines.table import Column, Table
from lakehouse.streams.contract import CLEANED

_HOUR = timedelta(hours=1)
_TIME = "transactionDateTime"
_IP, _BILLING, _ACCOUNT = "ipCountryCode", "paymentBillingCountryCode", "accountCountry"
_BLANK = {_IP: "ip_country_blank", _BILLING: "billing_country_blank"}
"""The cleaning rules of `contracts/transactions.v1.schema.json` that tell a blank code from Namibia's."""


def build(transactions: DataFrame) -> DataFrame:
    """Sum up the payments of each account and hour, and take those with a signal."""
    signals = _signals()
    is_signal = reduce(Expression.__or__, signals.values())
    grouped = transactions.groupBy(bucket_of(F.col(_TIME), _HOUR).alias("hour_start"), "accountID")
    found = grouped.agg(
        F.max(_ACCOUNT).alias(_ACCOUNT),
        F.count("*").alias("transaction_count"),
        F.count_if(is_signal).alias("signal_count"),
        *[F.count_if(is_met).alias(name) for name, is_met in signals.items()],
        F.max("numPaymentRejects1dPerUser").alias("most_rejects"),
        F.try_sum("transactionAmountUSD").alias("amount_usd"),
        F.try_sum(F.when(is_signal, F.col("transactionAmountUSD"))).alias("signal_amount_usd"),
    )
    return found.where("signal_count > 0")


def _signals() -> Mapping[str, Expression]:
    return {
        "rejected_count": F.col("numPaymentRejects1dPerUser") > 0,
        "proxy_count": F.col("isProxyIP"),
        "ip_account_mismatch_count": _differ(_IP, _ACCOUNT),
        "billing_account_mismatch_count": _differ(_BILLING, _ACCOUNT),
        "ip_billing_mismatch_count": _differ(_IP, _BILLING),
    }


def _differ(one: str, other: str) -> Expression:
    """Say whether two countries are known and are not the same."""
    return _is_known(one) & _is_known(other) & (F.col(one) != F.col(other))


def _is_known(country: str) -> Expression:
    """Rows of before there were cleaning rules have the blank itself, and no rules."""
    was_blank = F.array_contains(F.coalesce(CLEANED, F.array().cast("array<string>")), _BLANK.get(country, ""))
    return (F.col(country) != "") & ~was_blank


TABLE = Table(
    name="fraud_signals",
    comment="What is suspicious about the payments of an account in an hour of their own time; no signal, no row.",
    columns=(
        Column("hour_start", "timestamp", "when the hour begins, UTC", required=True),
        Column("accountID", "string", "the account that pays", of="transactions.accountID", required=True),
        Column(_ACCOUNT, "string", "ISO 3166 code of the account's country", of="transactions.accountCountry"),
        Column("transaction_count", "long", "payments of the account in the hour"),
        Column("signal_count", "long", "those of them with at least one signal"),
        Column("rejected_count", "long", "those whose user had payments refused within the last day"),
        Column("proxy_count", "long", "those from an address that is known as a proxy"),
        Column("ip_account_mismatch_count", "long", "those from another country than the account's"),
        Column("billing_account_mismatch_count", "long", "those billed to another country than the account's"),
        Column("ip_billing_mismatch_count", "long", "those from another country than the one they are billed to"),
        Column("most_rejects", "long", "the most refused payments within a day that one of them tells of"),
        Column("amount_usd", "decimal(38,18)", "the amounts of all of them together, in US dollars"),
        Column("signal_amount_usd", "decimal(38,18)", "the amounts of those with a signal, in US dollars"),
    ),
    key=("hour_start", "accountID"),
    kind=Buckets("transactions", _HOUR, _TIME, "hour_start"),
    inputs=("transactions",),
    build=build,
    clustered_by=("hour_start",),
    time="hour_start",
)
