"""Percentages and means of the day tables: to four places, rounded half up, null where nothing is divided by."""

from pyspark.sql import Column
from pyspark.sql import functions as F

PART = "decimal(9,4)"
SECONDS = "decimal(16,4)"
"""Holds the longest time that two timestamps can lie apart, so that no record can make a day's figures overflow."""

_COUNT = "decimal(12,0)"
_MICROS = "decimal(24,0)"
_HUNDRED_MICROS = -2


def per_cent(part: Column, whole: Column) -> Column:
    """Give `part` of `whole`, two counts, in per cent."""
    return mean(part * 100, whole)


def mean(total: Column, count: Column) -> Column:
    """Divide a total of whole numbers by their count."""
    return F.round(_quotient(total.cast(_COUNT), count), 4).cast(PART)


def mean_seconds(micros: Column, count: Column) -> Column:
    """Divide a total of microseconds by a count, in seconds."""
    rounded = F.round(_quotient(micros.cast(_MICROS), count), _HUNDRED_MICROS).cast(_MICROS)
    return (rounded / F.lit(1_000_000).cast("decimal(7,0)")).cast(SECONDS)


def micros_between(start: Column, end: Column) -> Column:
    """Give the microseconds from one time to another, in a type whose sum does not overflow."""
    return (F.unix_micros(end) - F.unix_micros(start)).cast("decimal(20,0)")


def _quotient(total: Column, count: Column) -> Column:
    """Divide decimals: Spark gives at least ten places, more than what decides how the fourth is rounded."""
    return total / F.nullif(count.cast("decimal(10,0)"), F.lit(0).cast("decimal(10,0)"))
