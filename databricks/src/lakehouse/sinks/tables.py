"""SQL tables as values, and those that follow from gold tables; what Azure SQL could not hold is refused by name."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import types as T

from lakehouse.pipelines.spans import WINDOW
from lakehouse.pipelines.table import Column, Table
from lakehouse.sinks.sql_types import LONG, TIME, SqlType, sql_type, text

type Dialect = Literal["tsql", "sqlite"]

type LengthOf = Callable[[Column], int]
"""Gives the greatest number of UTF-16 units of a text column; raises ValueError where nothing bounds it."""

BATCH = "batch"
"""The column of a staging table that says which try staged a row."""

_LONGEST_NAME = 118
"""Azure SQL's names have at most 128 characters; those made of a table's add up to ten."""

_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{_LONGEST_NAME - 1}}}", re.ASCII)
_KEY_BYTES = 1700
_KEY_COLUMNS = 32


class UnfitTable(ValueError):
    """Tables that the database can't hold, or holds in another shape; a line for each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """A column of a table in SQL."""

    name: str
    type: SqlType
    required: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """An index beside the key. carried: columns that it holds but does not sort by."""

    name: str
    columns: tuple[str, ...]
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SqlTable:
    """A table in SQL."""

    name: str
    columns: tuple[SqlColumn, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    @property
    def staging(self) -> str:
        """Name the table that rows wait in until one transaction applies them."""
        return f"{self.name}_staging"

    @property
    def keys(self) -> str:
        """Name the table that keys wait in whose rows are all made anew."""
        return f"{self.name}_keys"

    @property
    def names(self) -> tuple[str, ...]:
        """Name its columns."""
        return tuple(column.name for column in self.columns)

    @property
    def key_bytes(self) -> int:
        """Give the greatest size of its key."""
        return sum(column.type.key_bytes or 0 for column in self.columns if column.name in self.key)


PUBLISHED = SqlTable(
    "published",
    (
        SqlColumn("table", text(200), required=True),
        SqlColumn("progress", text(), required=True),
        SqlColumn("updated_at", TIME, required=True),
    ),
    key=("table",),
)
"""Up to where each published table accounts for the lake, as `Progress.metadata` writes it."""

WINDOW_COUNTS = SqlTable(
    "window_counts",
    (
        SqlColumn("window_id", text(64), required=True),
        SqlColumn("stream", text(64), required=True),
        SqlColumn("stage", text(32), required=True),
        SqlColumn("name", text(128), required=True),
        SqlColumn("rows", LONG, required=True),
        SqlColumn("updated_at", TIME, required=True),
    ),
    key=("window_id", "stream", "stage", "name"),
    indexes=(Index("window_counts_of_stage", ("stream", "stage", "name"), ("rows",)),),
)
"""The rows that `contracts/documents/window_counts.v1.schema.json` describes."""

OWN = (PUBLISHED, WINDOW_COUNTS)


def sql_table(table: Table, length_of: LengthOf) -> SqlTable:
    """Give the SQL table that a gold table is published as; raises UnfitTable."""
    (found,) = sql_tables([table], length_of)
    return found


def sql_tables(tables: Iterable[Table], length_of: LengthOf) -> tuple[SqlTable, ...]:
    """Give the SQL tables of those gold tables that are published; raises UnfitTable, which names all that is wrong."""
    found, faults = [], []
    for table in (table for table in tables if table.sql):
        columns, wrong = _columns(table, length_of)
        made = SqlTable(table.sql, columns, table.key, tuple(_indexes(table, columns)))
        found.append(made)
        faults += [f"{table.sql}: {fault}" for fault in (*wrong, *_name_faults(table), *_key_faults(made))]
    faults += [f"{name}: another table has this name." for name in _taken(found)]
    if faults:
        raise UnfitTable("\n".join(faults))
    return tuple(found)


def _columns(table: Table, length_of: LengthOf) -> tuple[tuple[SqlColumn, ...], list[str]]:
    """Give the columns of those that have a type, and what is wrong with the others."""
    columns, faults = [], []
    for column, field in zip(table.columns, table.schema, strict=True):
        try:
            length = length_of(column) if isinstance(field.dataType, T.StringType) else 0
        except ValueError as error:
            faults.append(f"column {column.name!r}: {error}")
            continue
        kind = sql_type(field.dataType, length)
        if kind is None:
            faults.append(f"column {column.name!r}: {column.type} has no type in SQL.")
        else:
            columns.append(SqlColumn(column.name, kind, column.required or column.name in table.key))
    return tuple(columns), faults


def _indexes(table: Table, columns: Sequence[SqlColumn]) -> Iterator[Index]:
    """Choose what rows are looked for by beside the key: their window, and what the lake sorts them by first."""
    wanted = {WINDOW, *table.clustered_by[:1]} - set(table.key[:1])
    for name in (column.name for column in columns if column.name in wanted and column.type.key_bytes):
        yield Index(f"{table.sql.lower()}_of_{'window' if name == WINDOW else name}"[:128], (name,))


def _name_faults(table: Table) -> Iterator[str]:
    names = [column.name for column in table.columns]
    for name in (name for name in (table.sql, *names) if not _NAME.fullmatch(name)):
        yield f"{name!r} can't be a name; use letters, digits and _, {_LONGEST_NAME} at most."
    for name in sorted(_repeated([*names, BATCH])):
        yield f"column {name!r}: another column has this name; {BATCH!r} is staging's own."


def _key_faults(table: SqlTable) -> Iterator[str]:
    types = {column.name: column.type for column in table.columns}
    if not 0 < len(table.key) <= _KEY_COLUMNS:
        yield f"its key has {len(table.key)} columns; a primary key has 1 to {_KEY_COLUMNS}."
    for name in table.key:
        if name in types and types[name].key_bytes is None:
            yield f"key column {name!r}: a primary key can't hold {types[name].tsql}; bound its length."
    if table.key_bytes > _KEY_BYTES:
        yield f"its key {', '.join(table.key)} takes {table.key_bytes} bytes; a primary key takes {_KEY_BYTES} at most."


def _taken(tables: Sequence[SqlTable]) -> list[str]:
    own = [table.name for table in OWN]
    return sorted(_repeated(own + [name for table in tables for name in (table.name, table.staging, table.keys)]))


def _repeated(names: Sequence[str]) -> set[str]:
    """Find the names that stand there twice; SQL knows no case in names."""
    folded = [name.lower() for name in names]
    return {name for name in names if folded.count(name.lower()) > 1}
