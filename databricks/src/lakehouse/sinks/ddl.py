"""The statements that make tables, for Azure SQL and for the SQLite file that stands in for it on one machine.

SQLite takes any value into any column; its tables get constraints that refuse what Azure SQL would refuse.
"""

from collections.abc import Iterable

from lakehouse.sinks.tables import BATCH, Dialect, Index, SqlColumn, SqlTable

_CLUSTERED_KEY_BYTES = 900
_TO_THE_LETTER = "COLLATE Latin1_General_100_BIN2"
"""The collation of keys: SQL Server's own tells no upper from lower case, the lake and SQLite do."""


def ddl(table: SqlTable, dialect: Dialect) -> tuple[str, ...]:
    """Give the statements that make a table, and then its indexes, where they are not there yet."""
    return (create(table, dialect), *(_index(table, index, dialect) for index in table.indexes))


def create(table: SqlTable, dialect: Dialect) -> str:
    """Give the statement that makes a table where it is not there yet."""
    clustered = "NONCLUSTERED " if dialect == "tsql" and table.key_bytes > _CLUSTERED_KEY_BYTES else ""
    key = f"CONSTRAINT {quoted(f'{table.name.lower()}_key')} PRIMARY KEY {clustered}({listed(table.key)})"
    lines = ",\n  ".join([*(definition(table, column, dialect) for column in table.columns), key])
    if dialect == "tsql":
        return f"IF OBJECT_ID('dbo.{table.name}', 'U') IS NULL\nCREATE TABLE {quoted(table.name)} (\n  {lines}\n)"
    return f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} (\n  {lines}\n)"


def definition(table: SqlTable, column: SqlColumn, dialect: Dialect) -> str:
    """Write a column as CREATE TABLE and ALTER TABLE take it."""
    in_key = column.name in table.key and column.type.is_text
    parts = [
        quoted(column.name),
        type_in(column, dialect),
        _TO_THE_LETTER if in_key and dialect == "tsql" else "",
        "NOT NULL" if column.required else "",
        _check(table, column) if dialect == "sqlite" else "",
    ]
    return " ".join(part for part in parts if part)


def create_staging(table: SqlTable, name: str, columns: Iterable[str], dialect: Dialect) -> tuple[str, str]:
    """Give the statements that make a staging table anew: some columns as the table has them now, and the batch.

    They are copied, not declared once more: texts of two collations can't be compared.
    """
    source = f"FROM {quoted(table.name)} WHERE 1 = 0"
    if dialect == "tsql":
        copied = f"SELECT {listed(columns)}, CAST(N'' AS nvarchar(200)) AS {quoted(BATCH)} INTO {quoted(name)} {source}"
    else:
        copied = f"CREATE TABLE {quoted(name)} AS SELECT {listed(columns)}, '' AS {quoted(BATCH)} {source}"
    return f"DROP TABLE IF EXISTS {quoted(name)}", copied


def type_in(column: SqlColumn, dialect: Dialect) -> str:
    """Give a column's type in a dialect."""
    return column.type.tsql if dialect == "tsql" else column.type.sqlite


def quoted(name: str) -> str:
    """Write a name; none has a quotation mark in it."""
    return f'"{name}"'


def listed(names: Iterable[str], of: str = "") -> str:
    """Write names as a list; of: the alias of their table."""
    return ", ".join(f"{of}.{quoted(name)}" if of else quoted(name) for name in names)


def _index(table: SqlTable, index: Index, dialect: Dialect) -> str:
    name, on = quoted(index.name), quoted(table.name)
    if dialect == "sqlite":
        return f"CREATE INDEX IF NOT EXISTS {name} ON {on} ({listed(index.columns + index.carried)})"
    carried = f" INCLUDE ({listed(index.carried)})" if index.carried else ""
    there = f"SELECT 1 FROM sys.indexes WHERE name = '{index.name}' AND object_id = OBJECT_ID('dbo.{table.name}')"
    return f"IF NOT EXISTS ({there})\nCREATE INDEX {name} ON {on} ({listed(index.columns)}){carried}"


def _check(table: SqlTable, column: SqlColumn) -> str:
    """Write what Azure SQL's type demands; SQLite gives the constraint's name where it refuses a value."""
    condition = column.type.check.format(quoted(column.name))
    name = quoted(f"{table.name}.{column.name}: {column.type.rule}")
    return f"CONSTRAINT {name} CHECK ({condition})" if condition else ""
