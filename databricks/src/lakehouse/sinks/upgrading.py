"""What a database that has a table already must be told, so that the table is as it should be now."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.sinks.ddl import definition, quoted, type_in
from lakehouse.sinks.tables import BATCH, Dialect, SqlColumn, SqlTable

_TYPE = re.compile(r"(?P<base>\w+)(?:\((?P<size>\d+|max)\b.*\))?", re.IGNORECASE)

COLUMNS: Mapping[Dialect, str] = {
    "sqlite": 'SELECT "name", replace("type", \'INTEGER\', \'INT\'), "notnull", "pk" > 0 FROM pragma_table_info(?)',
    "tsql": """SELECT c.COLUMN_NAME,
  c.DATA_TYPE + CASE
    WHEN c.DATA_TYPE IN ('nvarchar', 'varchar', 'nchar', 'char') AND c.CHARACTER_MAXIMUM_LENGTH = -1 THEN '(max)'
    WHEN c.DATA_TYPE IN ('nvarchar', 'varchar', 'nchar', 'char') THEN CONCAT('(', c.CHARACTER_MAXIMUM_LENGTH, ')')
    WHEN c.DATA_TYPE IN ('decimal', 'numeric') THEN CONCAT('(', c.NUMERIC_PRECISION, ', ', c.NUMERIC_SCALE, ')')
    WHEN c.DATA_TYPE = 'datetime2' THEN CONCAT('(', c.DATETIME_PRECISION, ')')
    ELSE '' END,
  CASE c.IS_NULLABLE WHEN 'NO' THEN 1 ELSE 0 END,
  CASE WHEN EXISTS (
    SELECT 1 FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS p
    INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS k
      ON k.CONSTRAINT_SCHEMA = p.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = p.CONSTRAINT_NAME
    WHERE p.CONSTRAINT_TYPE = 'PRIMARY KEY' AND k.TABLE_SCHEMA = c.TABLE_SCHEMA
      AND k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME
  ) THEN 1 ELSE 0 END
FROM INFORMATION_SCHEMA.COLUMNS AS c
WHERE c.TABLE_SCHEMA = 'dbo' AND c.TABLE_NAME = ?
ORDER BY c.ORDINAL_POSITION""",
}
"""Reads a table's columns, name by name, as `existing` takes them; binds the table's name."""


@dataclass(frozen=True, slots=True)
class Existing:
    """A column that a table has. type: as the database's DDL writes it."""

    name: str
    type: str
    required: bool
    in_key: bool


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What to do to a table, and what nothing can be done about."""

    statements: tuple[str, ...]
    faults: tuple[str, ...]


def existing(rows: Sequence[tuple[Any, ...]]) -> tuple[Existing, ...]:
    """Read what `COLUMNS` answered."""
    return tuple(Existing(name, kind, bool(required), bool(in_key)) for name, kind, required, in_key in rows)


def upgrade(table: SqlTable, there: Sequence[Existing], dialect: Dialect) -> Upgrade:
    """Decide how a table is brought up to date: new columns that may be null are added, texts are widened.

    A column that the table has beside is left alone, and one that may be null there but not here is as good.
    """
    by_name = {column.name.lower(): column for column in there}
    statements, faults = [], [*_key_fault(table, there)]
    for column in table.columns:
        held = by_name.get(column.name.lower())
        statement = _statement(table, column, held, dialect)
        if statement is None:
            faults.append(f"{table.name}.{column.name}: {_difference(column, held, dialect)}")
        elif statement:
            statements.append(statement)
    return Upgrade(tuple(statements), tuple(faults))


def staging_fits(
    staging: Sequence[Existing], there: Sequence[Existing], columns: Sequence[str], dialect: Dialect
) -> bool:
    """Say whether a staging table still has these columns as the table itself; a copy of SQLite forgets lengths."""
    types = {column.name: column.type for column in there}
    wanted = {name: types.get(name) for name in columns}
    found = {column.name: column.type for column in staging if column.name != BATCH}
    return set(found) == set(wanted) if dialect == "sqlite" else found == wanted


def _statement(table: SqlTable, column: SqlColumn, held: Existing | None, dialect: Dialect) -> str | None:
    """Give what makes a column fit, empty where it does; None where nothing can."""
    written = definition(table, column, dialect)
    if held is None:
        return None if column.required else f"ALTER TABLE {quoted(table.name)} ADD {written}"
    if held.required and not column.required:
        return None
    wanted = type_in(column, dialect)
    if _holds(held.type, wanted):
        return ""
    indexed = {*table.key, *(name for index in table.indexes for name in index.columns)}
    widens = dialect == "tsql" and _holds(wanted, held.type) and column.name not in indexed
    return f"ALTER TABLE {quoted(table.name)} ALTER COLUMN {written}" if widens else None


def _holds(there: str, wanted: str) -> bool:
    """Say whether each value of one type fits into the other: the same, or a text with a wider bound or none."""
    if there.lower() == wanted.lower():
        return True
    (base, size), (wanted_base, wanted_size) = _parts(there), _parts(wanted)
    if base != wanted_base:
        return False
    if size is None:
        return base in ("text", "numeric", "nvarchar")
    return base in ("text", "nvarchar") and wanted_size is not None and size >= wanted_size


def _parts(written: str) -> tuple[str, int | None]:
    """Take a type apart into its name and its size; None for one without a bound."""
    match = _TYPE.fullmatch(written)
    if match is None:
        return written.lower(), None
    size = match["size"]
    return match["base"].lower(), int(size) if size and size != "max" else None


def _key_fault(table: SqlTable, there: Sequence[Existing]) -> Iterator[str]:
    found = sorted(column.name for column in there if column.in_key)
    if [name.lower() for name in found] != sorted(name.lower() for name in table.key):
        yield f"{table.name}: its key is {sorted(table.key)}, the database's table has {found}."


def _difference(column: SqlColumn, held: Existing | None, dialect: Dialect) -> str:
    wanted = type_in(column, dialect)
    if held is None:
        return f"the database's table lacks it, and a {wanted} that is never null can't be added."
    if held.required and not column.required:
        return "the database's column is NOT NULL, and this one may be null."
    return f"the database's column is {held.type}, which can't be made {wanted}."
