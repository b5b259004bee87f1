"""What the day tables of the call centre agree on: how far apart in time rows are that belong together.

They bound what a day looks at: so it is made of few rows, however long the history is, and of the same rows in
whatever order they came.
"""

from datetime import timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

CALL_WITHIN = timedelta(hours=12)
"""Between the beginnings of a call's parts, and to its end. What is further apart is not seen as one call here."""

RECALL_WITHIN = timedelta(hours=24)

SURVEY_WITHIN = timedelta(days=31)
"""A survey counts for attendances that began within it, before or after."""

_MICROSECOND = timedelta(microseconds=1)


def micros(duration: timedelta) -> int:
    """Give a duration in microseconds, as windows over `unix_micros` take it."""
    return duration // _MICROSECOND


def is_within(duration: timedelta, one: str, other: str) -> Column:
    """Say whether two times, named as columns, lie no further apart."""
    return F.abs(F.unix_micros(one) - F.unix_micros(other)) <= micros(duration)
