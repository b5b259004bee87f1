"""What a batch of events has that bronze has not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse.streams.bronze_schema import KEY, KEY_IN_HUB


class HubsConfused(Exception):
    """Two different events have one name, so they are of two hubs and nobody said when the later one was created."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a batch has of one partition: its first and last number, its rows, its different numbers, its bytes."""

    epoch: str
    partition: str
    first: int
    last: int
    rows: int
    numbers: int
    size: int


def parts_of(batch: DataFrame) -> list[Part]:
    """Sum a batch up by epoch and partition."""
    number = F.col("sequence_number")
    found = batch.groupBy("epoch", "partition").agg(
        F.min(number).alias("first"),
        F.max(number).alias("last"),
        F.count(number).alias("rows"),
        F.countDistinct(number).alias("numbers"),
        F.coalesce(F.sum(F.octet_length("body")), F.lit(0)).alias("size"),
    )
    return [Part(**row.asDict()) for row in found.collect()]


def new_rows(
    held: DataFrame, batch: DataFrame, parts: Sequence[Part], is_beyond: Callable[[Part], bool]
) -> DataFrame | None:
    """Give those events of a batch that the table has not, each once; None where there are none.

    held: the table's rows of the batch's hub. is_beyond: says that the table can have nothing of a part; the others are
    looked for between their bounds, so that Delta passes over the files of other times. Raises HubsConfused.
    """
    once = _each_once(batch, parts)
    seen = [part for part in parts if not is_beyond(part)]
    if not parts or not seen:
        return once if parts else None
    near = held.where(reduce(Column.__or__, map(_within, seen)))
    known = near.select(*KEY_IN_HUB, F.col("enqueued_at").alias(_HELD_AT), F.lit(1).alias(_HELD))
    beside = once.join(known, list(KEY_IN_HUB), "left")
    is_new, is_other = F.col(_HELD).isNull(), _second("enqueued_at") != _second(_HELD_AT)
    (found,) = beside.agg(F.count_if(is_new).alias("new"), F.count_if(is_other).alias("other")).collect()
    if found["other"]:
        raise HubsConfused(f"bronze holds {found['other']} other events of the same numbers: {_WHAT_TO_DO}")
    return beside.where(is_new).select(*batch.columns) if found["new"] else None


def holes_of(batch: DataFrame, parts: Sequence[Part], held: Mapping[str, int]) -> dict[str, list[tuple[int, int]]]:
    """Find the numbers that are missing between what is held (by partition, of the batch's epoch) and what came."""
    found: dict[str, list[tuple[int, int]]] = {}
    for part in parts:
        expected = held.get(part.partition, -1) + 1
        before = [(expected, part.first - 1)] if part.first > expected else []
        has_holes = part.last - part.first + 1 != part.numbers
        within = missing_between(batch.where(_within(part))) if has_holes else []
        holes = [*before, *((max(first, expected), last) for *_, first, last in within if last >= expected)]
        if holes:
            found[part.partition] = holes
    return found


def missing_between(events: DataFrame) -> list[tuple[str, str, str, int, int]]:
    """Find the (hub, epoch, partition, first, last) of numbers that are missing between events of a partition."""
    in_order = Window.partitionBy(*_PARTITION).orderBy("sequence_number")
    before = events.select(*KEY, F.lag("sequence_number").over(in_order).alias("before"))
    gaps = before.where("sequence_number > before + 1").orderBy(*KEY).collect()
    return [
        (row["hub"] or "", row["epoch"], row["partition"], row["before"] + 1, row["sequence_number"] - 1)
        for row in gaps
    ]


def _each_once(batch: DataFrame, parts: Sequence[Part]) -> DataFrame:
    if all(part.rows == part.numbers for part in parts):
        return batch
    times = batch.groupBy(*KEY_IN_HUB).agg(F.countDistinct(_second("enqueued_at")).alias("times"))
    if not times.where("times > 1").isEmpty():
        raise HubsConfused(f"a batch has different events of the same numbers: {_WHAT_TO_DO}")
    return batch.dropDuplicates(list(KEY_IN_HUB))


def _second(column: str) -> Column:
    """Capture writes times to the second: no more can be compared."""
    return F.date_trunc("second", F.col(column))


def _within(part: Part) -> Column:
    is_of_it = (F.col("epoch") == part.epoch) & (F.col("partition") == part.partition)
    return is_of_it & F.col("sequence_number").between(part.first, part.last)


_PARTITION = KEY[:-1]
_HELD, _HELD_AT = "_held", "_held_at"
_WHAT_TO_DO = (
    "the hub was made anew, and its created_at (of the run's `streams`) is missing or of the former hub; run the job "
    "again with the hub's own created_at"
)
