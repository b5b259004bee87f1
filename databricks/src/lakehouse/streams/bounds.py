"""Within which bounds the rows lie that a batch of records may meet; literals let Delta pass over other files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.streams.contract import Contract

_LONGEST = 100
"""Characters of a bound: a prefix is a lower bound, too, and what is cut has no upper one."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of records amounts to.

    windows: those of its events. bad: rows for quarantine. good: records that keep the contract. keys: their different
    keys. least, greatest: by column of the key and event time; a time is µs since 1970.
    """

    windows: frozenset[str]
    bad: int
    good: int
    keys: int
    least: Mapping[str, Any]
    greatest: Mapping[str, Any]


def summed_up(found: DataFrame, contract: Contract) -> Batch:
    """Count a batch and find its bounds in one job. found: as `lakehouse.streams.versions.records` gives it."""
    (row,) = found.agg(*_totals(contract)).collect()
    names = [name for name, _ in _bounded(contract)]
    return Batch(
        windows=frozenset(row["windows"]),
        bad=row["bad"],
        good=row["good"],
        keys=row["keys"],
        least={name: row[f"least_{name}"] for name in names},
        greatest={name: row[f"greatest_{name}"] for name in names},
    )


def within(batch: Batch, contract: Contract, side: str = "") -> Column:
    """Write the condition that every row meets which may hold a key of the batch. side: such as `t.`."""
    kinds = dict(_bounded(contract))
    conditions = [condition for name in kinds for condition in _between(batch, contract, name, kinds[name], side)]
    return reduce(Column.__and__, conditions, F.lit(True))


@lru_cache(maxsize=64)
def _totals(contract: Contract) -> list[Column]:
    """Build the sums of a contract's records once a process."""
    is_good = F.col("reason").isNull()
    totals = [
        F.collect_set("window_id").alias("windows"),
        F.count("reason").alias("bad"),
        F.count_if(is_good).alias("good"),
        F.count_distinct(F.when(is_good, F.struct(*contract.key))).alias("keys"),
    ]
    for name, kind in _bounded(contract):
        greatest = F.max(F.when(is_good, _plain(name, kind)))
        totals += [
            F.min(F.when(is_good, _lower(name, kind))).alias(f"least_{name}"),
            _upper(greatest, kind).alias(f"greatest_{name}"),
        ]
    return totals


def _bounded(contract: Contract) -> Iterator[tuple[str, str]]:
    """Name the columns that bound a look at held rows, with their kinds."""
    by_time = contract.event_time if contract.dedupe is not None else ""
    return ((field.name, field.kind) for field in contract.fields if field.name in (*contract.key, by_time))


def _between(batch: Batch, contract: Contract, name: str, kind: str, side: str) -> Iterator[Column]:
    apart = contract.dedupe if name == contract.event_time and name not in contract.key else None
    least, greatest = batch.least[name], batch.greatest[name]
    if least is not None:
        yield F.col(f"{side}{name}") >= _literal(least, kind, -(apart or timedelta()))
    if greatest is not None:
        yield F.col(f"{side}{name}") <= _literal(greatest, kind, apart or timedelta())


def _literal(value: Any, kind: str, by: timedelta) -> Column:  # noqa: ANN401 - as Spark's rows have it
    """Write a value as a literal of the column's own type: what must first be computed spares no file in a MERGE."""
    if kind == "date-time":
        return F.expr(f"TIMESTAMP '{_moved(value, by).isoformat()}'")
    return F.expr(f"{value}L") if kind == "integer" else F.lit(value)


def _moved(microseconds: int, by: timedelta) -> datetime:
    time = _EPOCH + timedelta(microseconds=microseconds)
    return time + min(max(by, _FIRST - time), _LAST - time)


def _plain(name: str, kind: str) -> Column:
    return F.unix_micros(name) if kind == "date-time" else F.col(name)


def _lower(name: str, kind: str) -> Column:
    return F.left(F.col(name), F.lit(_LONGEST)) if kind == "string" else _plain(name, kind)


def _upper(greatest: Column, kind: str) -> Column:
    return F.when(F.char_length(greatest) <= _LONGEST, greatest) if kind == "string" else greatest
