"""Which sequence numbers bronze's own table lacks."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.tables import Lake
from lakehouse.streams.bronze import committed_of
from lakehouse.streams.bronze_batch import missing_between

type Missing = tuple[str, str, int, int]
"""(epoch, partition, first, last) of numbers that are missing."""
type Place = tuple[str, str, int]
"""(epoch, partition, sequence number) of an event."""


def missing_numbers(lake: Lake, stream: str, since: datetime) -> list[Missing]:
    """Find the numbers that bronze lacks among a stream's events enqueued since a time.

    The gap before the first of them counts, back to the event before it or to number 0 where there is none; so does
    what the hub's source went through beyond bronze's last event. Two narrow reads where nothing is missing.
    """
    events = lake.read(f"bronze.{stream}")
    recent = events.where(F.col("enqueued_at") >= F.lit(since))
    number = F.col("sequence_number")
    bounds = recent.groupBy("epoch", "partition").agg(
        F.min(number).alias("first"), F.max(number).alias("last"), F.count(number).alias("rows")
    )
    found = bounds.collect()
    within = missing_between(recent) if any(row["last"] - row["first"] + 1 != row["rows"] for row in found) else []
    before = [(row["epoch"], row["partition"], row["first"] - 1) for row in found]
    committed = committed_of(lake, f"bronze.{stream}")
    after = [(committed.epoch or "", partition, last) for partition, last in committed.last.items()]
    return sorted([*within, *_gaps_up_to(events, {*before, *after})])


def _gaps_up_to(events: DataFrame, places: Iterable[Place]) -> list[Missing]:
    """Find what is missing directly before and at places: nothing where the events themselves are there."""
    expected = {place for place in places if place[2] >= 0}
    absent = expected - _there(events, expected)
    before = _last_before(events, absent)
    return [(*place[:2], before.get(place, -1) + 1, place[2]) for place in absent]


def _there(events: DataFrame, places: Iterable[Place]) -> set[Place]:
    conditions = [_of(place) & (F.col("sequence_number") == place[2]) for place in places]
    if not conditions:
        return set()
    found = events.where(reduce(Column.__or__, conditions)).select("epoch", "partition", "sequence_number")
    return {(row[0], row[1], row[2]) for row in found.collect()}


def _last_before(events: DataFrame, places: Iterable[Place]) -> Mapping[Place, int]:
    found = {}
    for place in places:
        earlier = events.where(_of(place) & (F.col("sequence_number") < place[2]))
        (row,) = earlier.agg(F.max("sequence_number")).collect()
        if row[0] is not None:
            found[place] = row[0]
    return found


def _of(place: Place) -> Column:
    return (F.col("epoch") == place[0]) & (F.col("partition") == place[1])
