"""What people look at first in a stream's silver: what is blank, which rules met it, how amounts are spread."""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.streams.contract import CLEANED


def values_of(rows: DataFrame, *columns: str) -> DataFrame:
    """Count rows by the values of columns, the most frequent first: (values…, rows)."""
    return rows.groupBy(*columns).agg(F.count("*").alias("rows")).orderBy(F.desc("rows"), *columns)


def blanks(rows: DataFrame) -> DataFrame:
    """Count by column what has no value: (column, null_rows, blank_rows). A blank that a rule replaced is none."""
    parts = [
        rows.agg(
            F.lit(one.name).alias("column"),
            F.count_if(F.col(one.name).isNull()).alias("null_rows"),
            F.count_if(F.trim(one.name) == "").alias("blank_rows")
            if isinstance(one.dataType, T.StringType)
            else F.lit(0).cast("long").alias("blank_rows"),
        )
        for one in rows.schema
    ]
    return reduce(DataFrame.unionByName, parts).where("null_rows + blank_rows > 0")


def rules_met(rows: DataFrame) -> DataFrame:
    """Count rows by the cleaning rules that met them: (rule, rows)."""
    return values_of(rows.select(F.explode(CLEANED).alias("rule")), "rule")


def amounts_by(rows: DataFrame, column: str, amount: str) -> DataFrame:
    """Show how amounts are spread by the values of a column: (value, rows, least, median, greatest, total)."""
    grouped = rows.groupBy(column).agg(
        F.count("*").alias("rows"),
        F.min(amount).alias("least"),
        F.percentile_approx(amount, 0.5).alias("median"),
        F.max(amount).alias("greatest"),
        F.try_sum(amount).alias("total"),
    )
    return grouped.orderBy(F.desc("rows"), column)
