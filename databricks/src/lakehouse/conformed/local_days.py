"""Days and months as the clocks of the call centre show them."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.day import day_of

ZONE = "America/Sao_Paulo"
"""Had summer time until February 2019."""


def local_day(moment: Column) -> Column:
    """Give the day of a time."""
    return day_of(moment, ZONE)


def period_of(day: Column) -> Column:
    """Give the month of a day as a number, 202611 say."""
    return (F.year(day) * 100 + F.month(day)).cast("int")
