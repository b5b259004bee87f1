"""How long a text column may get: as its table says, or as what it repeats says."""

from functools import cache

from lakehouse.pipelines.bounds import Contracts, wheel_contracts
from lakehouse.pipelines.catalogue import PIPELINES
from lakehouse.pipelines.table import Column


class UnboundedText(ValueError):
    """A text column that nothing bounds, or that its contract allows to be longer than its table says."""


def length_of(column: Column) -> int:
    """Give the greatest number of characters of a text column; raises UnboundedText."""
    source, _, name = column.of.partition(".")
    bounds = _contracts().bounds_of(source)
    greatest = bounds.get(name)
    if column.length is None:
        if not greatest:
            raise UnboundedText("nothing bounds this text; give the column a length, or what it repeats a maxLength.")
        return greatest
    if name in bounds and (greatest is None or greatest > column.length):
        raise UnboundedText(f"{column.of} may be longer than {column.length} characters; its contract must say less.")
    return column.length


@cache
def _contracts() -> Contracts:
    return wheel_contracts().with_tables(table for one in PIPELINES.values() for table in one.in_order())
