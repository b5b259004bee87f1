"""Which sequence numbers bronze's own table lacks."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.tables import Lake
from lakehouse.streams.bronze import committed_of
from lakehouse.streams.bronze_batch import missing_between
from lakehouse.streams.bronze_schema import HUB, KEY

type Missing = tuple[str, str, str, int, int]
"""(hub, epoch, partition, first, last) of numbers that are missing; the stream's first hub is the empty one."""
type Place = tuple[str, str, str, int]
"""(hub, epoch, partition, sequence number) of an event."""


def missing_numbers(lake: Lake, stream: str, since: datetime) -> list[Missing]:
    """Find the numbers that bronze lacks among a stream's events enqueued since a time.

    The gap before the first of them counts, back to the event before it or to number 0 where there is none; so does
    what the hub's source went through beyond bronze's last event. One or two narrow reads where nothing is missing.
    """
    events = lake.read(f"bronze.{stream}").withColumn(HUB, F.coalesce(HUB, F.lit("")))
    recent = events.where(F.col("enqueued_at") >= F.lit(since))
    number = F.col("sequence_number")
    bounds = recent.groupBy(*_PARTITION).agg(
        F.min(number).alias("first"), F.max(number).alias("last"), F.count(number).alias("rows")
    )
    found = bounds.collect()
    within = missing_between(recent) if any(row["last"] - row["first"] + 1 != row["rows"] for row in found) else []
    before = [(*(row[name] for name in _PARTITION), row["first"] - 1) for row in found]
    hubs = committed_of(lake, f"bronze.{stream}").hubs
    after = {
        (hub, one.epoch or "", partition, last) for hub, one in hubs.items() for partition, last in one.last.items()
    }
    there = {(*(row[name] for name in _PARTITION), row["last"]) for row in found}
    return sorted([*within, *_gaps_up_to(events, {*before, *(after - there)})])


def _gaps_up_to(events: DataFrame, places: Iterable[Place]) -> list[Missing]:
    """Find what is missing directly before and at places: nothing where the events themselves are there."""
    expected = {place for place in places if place[3] >= 0}
    absent = expected - _there(events, expected)
    before = _last_before(events, absent)
    return [(*place[:3], before.get(place, -1) + 1, place[3]) for place in absent]


def _there(events: DataFrame, places: Iterable[Place]) -> set[Place]:
    conditions = [_of(place) & (F.col("sequence_number") == place[3]) for place in places]
    if not conditions:
        return set()
    found = events.where(reduce(Column.__or__, conditions)).select(*KEY)
    return {(row[0], row[1], row[2], row[3]) for row in found.collect()}


def _last_before(events: DataFrame, places: Iterable[Place]) -> Mapping[Place, int]:
    found = {}
    for place in places:
        earlier = events.where(_of(place) & (F.col("sequence_number") < place[3]))
        (row,) = earlier.agg(F.max("sequence_number")).collect()
        if row[0] is not None:
            found[place] = row[0]
    return found


def _of(place: Place) -> Column:
    hub, epoch, partition, _ = place
    return (F.col(HUB) == hub) & (F.col("epoch") == epoch) & (F.col("partition") == partition)


_PARTITION = KEY[:-1]
