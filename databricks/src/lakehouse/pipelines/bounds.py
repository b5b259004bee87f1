"""What contracts, and tables of pipelines, say of columns that other tables repeat."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lakehouse.contract_files import contract_files
from lakehouse.grammar import LONGEST_WINDOW_ID
from lakehouse.personal_data import TOKEN_LENGTH
from lakehouse.pipelines.spans import WINDOW
from lakehouse.pipelines.table import Column, Table

type Bounds = Mapping[str, Mapping[str, int | None]]
"""By stream, lookup or table, by column: the greatest length of its texts; None where none is said, and for others."""


@dataclass(frozen=True, slots=True)
class Contracts:
    """The columns of all streams and lookups, and of the tables that `with_tables` was told of.

    personal: by lookup, the columns that tables have tokens of.
    """

    streams: Bounds
    lookups: Bounds
    tables: Bounds = field(default_factory=dict)
    personal: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def bounds_of(self, name: str) -> Mapping[str, int | None]:
        """Give the columns of a stream, a lookup or a table with their bounds; none of a name that is no such one's.

        Of the columns that silver adds to a stream's, the contracts' grammar bounds the window's name.
        """
        if name in self.streams:
            return {WINDOW: LONGEST_WINDOW_ID, **self.streams[name]}
        return self.lookups.get(name) or self.tables.get(name, {})

    def with_tables(self, tables: Iterable[Table]) -> "Contracts":
        """Add tables, each after those that it is made of."""
        found = self
        for table in tables:
            columns = {one.name: found._bound_of(one) for one in table.columns}
            found = replace(found, tables={**found.tables, table.name: columns})
        return found

    def _bound_of(self, column: Column) -> int | None:
        of_input, _, name = column.of.partition(".")
        return column.length or self.bounds_of(of_input).get(name)


def wheel_contracts() -> Contracts:
    """Read the contracts that the wheel carries."""
    streams, lookups = ([(one.name, one.read()) for one in contract_files(*of)] for of in ((), ("lookups",)))
    return Contracts(bounds_of(streams), bounds_of(lookups), personal=_personal(lookups))


def bounds_of(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Bounds:
    """Take the columns of JSON Schemas, of each name all versions: a bound holds where each of them has one."""
    found: dict[str, dict[str, int | None]] = {}
    for name, document in documents:
        columns = found.setdefault(name, {})
        for column, rule in document["properties"].items():
            bound = _bound(rule)
            columns[column] = _wider(columns[column], bound) if column in columns else bound
    return found


def _personal(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Mapping[str, frozenset[str]]:
    rules = {name: document["properties"] for name, document in documents}
    return {name: frozenset(column for column, rule in of.items() if rule.get("x-pii")) for name, of in rules.items()}


def _bound(rule: Mapping[str, Any]) -> int | None:
    if rule.get("x-pii"):
        return TOKEN_LENGTH
    texts = [value for value in rule.get("enum", ()) if isinstance(value, str)]
    bound: int | None = max(map(len, texts)) if texts else rule.get("maxLength")
    return bound


def _wider(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
