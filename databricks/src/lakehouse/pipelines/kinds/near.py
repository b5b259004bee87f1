"""Which rows lie near others in time: two bounds that spare reading the files of other times."""

from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

type Span = tuple[int, int]
"""The first and the last moment, both included, in µs since 1970."""


def span_around(rows: DataFrame, time: str, within: timedelta) -> Span | None:
    """Give the span that holds all that lies within a time of some of the rows; None where no row has a time."""
    (found,) = rows.agg(F.min(F.unix_micros(time)), F.max(F.unix_micros(time))).collect()
    return None if found[0] is None else widened((found[0], found[1]), within)


def widened(span: Span, by: timedelta) -> Span:
    """Make a span longer by a time at either end."""
    margin = by // timedelta(microseconds=1)
    return span[0] - margin, span[1] + margin


def between(rows: DataFrame, time: str, span: Span) -> DataFrame:
    """Take the rows of a span."""
    return rows.where(lies_in(time, span))


def lies_in(time: str, span: Span) -> Column:
    """Say whether a time, named as a column, lies in a span."""
    first, last = (F.timestamp_micros(F.lit(micros)) for micros in span)
    return F.col(time).between(first, last)
