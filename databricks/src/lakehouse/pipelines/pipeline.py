"""A pipeline as a value: the tables that are made of a feed, and which of them account for which stream."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Self

from lakehouse.pipelines.kinds.kind import OWN_ROWS
from lakehouse.pipelines.table import Table


@dataclass(frozen=True, slots=True)
class Balance:
    """Every row of a stream's silver is in exactly one row of exactly one of these tables, and no row beside."""

    stream: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What the lakehouse makes of a feed beyond silver.

    A name among a table's inputs is a lookup's, a stream's, or that of another table here; a name that is a lookup's
    too stands for the lookup. answers: streams that the app makes of the feed's records itself: no slice of a window
    sends them, so nobody knows how many there should be, and a window may lack them.
    """

    feed: str
    tables: tuple[Table, ...]
    balances: tuple[Balance, ...] = ()
    answers: tuple[str, ...] = ()

    def given(self, values: Mapping[str, int]) -> Self:
        """Give the pipeline as it is by these values of its tables' options."""
        return replace(self, tables=tuple(table.given(values) for table in self.tables))

    def lake_name(self, name: str) -> str:
        """Name an input that is no lookup as the lake does: a table of the pipeline, else a stream's silver."""
        return next((table.lake_name for table in self.tables if table.name == name), f"silver.{name}")

    def streams(self, lookups: Container[str]) -> frozenset[str]:
        """Name the streams that its tables are made of. lookups: their names."""
        tables = {table.name for table in self.tables} | {OWN_ROWS}
        inputs = {name for table in self.tables for name in table.inputs}
        return frozenset(name for name in inputs - tables if name not in lookups)

    def columns_of(self, name: str) -> frozenset[str]:
        """Name the columns of an input that tables repeat."""
        return frozenset(of for table in self.tables for of in table.repeats.get(name, {}).values())

    def in_order(self) -> tuple[Table, ...]:
        """Give the tables, each after those that it is made of; raises graphlib.CycleError."""
        by_name = {table.name: table for table in self.tables}
        return tuple(by_name[name] for name in TopologicalSorter(made_of(self.tables)).static_order())


def made_of(tables: Iterable[Table]) -> dict[str, list[str]]:
    """Give by table the others that it is made of; its own name among its inputs can only be a lookup's."""
    inputs = {table.name: table.inputs for table in tables}
    return {name: [one for one in named if one in inputs and one != name] for name, named in inputs.items()}
