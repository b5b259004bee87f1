"""A pipeline as a value: the gold tables of a feed, and which of them account for which stream."""

from dataclasses import dataclass

from lakehouse.pipelines.table import Table


@dataclass(frozen=True, slots=True)
class Balance:
    """Every row of a stream's silver is in exactly one row of exactly one of these tables, and no row beside."""

    stream: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What the lakehouse makes of a feed beyond silver."""

    feed: str
    tables: tuple[Table, ...]
    balances: tuple[Balance, ...] = ()
