"""The statements that change and count rows, for both dialects; each says what it binds."""

from lakehouse.pipelines.spans import WINDOW
from lakehouse.sinks.ddl import listed, quoted
from lakehouse.sinks.tables import BATCH, PUBLISHED, WINDOW_COUNTS, Dialect, SqlTable

_COUNTS = quoted(WINDOW_COUNTS.name)
_PUBLISHED = quoted(PUBLISHED.name)

PROGRESS = f'SELECT "progress" FROM {_PUBLISHED} WHERE "table" = ?'
"""Binds the table's name."""

BEGIN = (
    f'INSERT INTO {_PUBLISHED} ("table", "progress", "updated_at")\n'
    f'SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM {_PUBLISHED} WHERE "table" = ?)'
)
"""Begins a table's progress where there is none: binds its name, the progress, the time, its name."""

ADVANCE = f'UPDATE {_PUBLISHED} SET "progress" = ?, "updated_at" = ? WHERE "table" = ? AND "progress" = ?'
"""Binds the new progress, the time, the table's name, and the progress that it must still have."""

DELETE_COUNTS = f'DELETE FROM {_COUNTS} WHERE "window_id" = ? AND "stream" = ?'
"""Binds the window and the stream."""

SPILLED = f'SELECT "window_id", "name", "rows" FROM {_COUNTS} WHERE "stream" = ? AND "stage" = ? AND "name" IN (?, ?)'
"""Binds the stream, the stage and two of its names."""


def upsert(table: SqlTable, dialect: Dialect) -> str:
    """Put the staged rows of a batch, which is bound, in the place of those that have their keys, or beside them.

    Executors may have staged a row twice, where they were not told that the first time went well.
    """
    names = listed(table.names)
    staged = f"SELECT DISTINCT {names}\nFROM {quoted(table.staging)}\nWHERE {quoted(BATCH)} = ?"
    others = [name for name in table.names if name not in table.key]
    if dialect == "sqlite":
        changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
        action = f"UPDATE SET {changes}" if others else "NOTHING"
        return f"INSERT INTO {quoted(table.name)} ({names})\n{staged}\nON CONFLICT ({listed(table.key)}) DO {action}"
    return _merge(table.name, f"({staged})", table.names, table.key, {name: f"s.{quoted(name)}" for name in others})


def delete_missing(table: SqlTable, dialect: Dialect) -> str:
    """Delete the rows whose keys are staged without a row; binds the batch twice."""
    named, of_batch = listed(table.key), f"WHERE {quoted(BATCH)} = ?"
    all_keys, with_row = (f"SELECT {named} FROM {quoted(name)} {of_batch}" for name in (table.keys, table.staging))
    gone = f"{all_keys}\nEXCEPT {with_row}"
    if dialect == "sqlite":
        return f"DELETE FROM {quoted(table.name)} WHERE ({named}) IN (\n{gone}\n)"
    return f"DELETE t FROM {quoted(table.name)} AS t INNER JOIN (\n{gone}\n) AS s ON {_agree(table.key)}"


def delete_values(table: SqlTable, column: str, count: int) -> str:
    """Delete the rows that have one of so many values, which are bound, in a column."""
    return f"DELETE FROM {quoted(table.name)} WHERE {quoted(column)} IN ({', '.join('?' * count)})"


def clear(name: str) -> str:
    """Empty a staging table: no one but this run writes to it."""
    return f"DELETE FROM {quoted(name)}"


def count_window(table: SqlTable) -> str:
    """Count the rows of a window, which is bound."""
    return f"SELECT COUNT(*) FROM {quoted(table.name)} WHERE {quoted(WINDOW)} = ?"


def add_count(dialect: Dialect) -> str:
    """Insert a row of `window_counts`; binds its columns. Names that the collation takes for one are summed up."""
    names, key, table = WINDOW_COUNTS.names, WINDOW_COUNTS.key, WINDOW_COUNTS.name
    values = f"VALUES ({', '.join('?' * len(names))})"
    if dialect == "sqlite":
        added = f'UPDATE SET "rows" = {_COUNTS}."rows" + excluded."rows"'
        return f"INSERT INTO {_COUNTS} ({listed(names)}) {values}\nON CONFLICT ({listed(key)}) DO {added}"
    given = f"(SELECT * FROM ({values}) AS v ({listed(names)}))"
    return _merge(table, given, names, key, {"rows": 't."rows" + s."rows"'})


def _merge(table: str, source: str, names: tuple[str, ...], key: tuple[str, ...], changes: dict[str, str]) -> str:
    """Compose a MERGE; HOLDLOCK keeps others from inserting a key between the look and the insert."""
    changed = ", ".join(f"t.{quoted(name)} = {value}" for name, value in changes.items())
    update = f"WHEN MATCHED THEN UPDATE SET {changed}\n" if changed else ""
    return (
        f"MERGE INTO {quoted(table)} WITH (HOLDLOCK) AS t\nUSING {source} AS s\nON {_agree(key)}\n{update}"
        f"WHEN NOT MATCHED THEN INSERT ({listed(names)})\nVALUES ({listed(names, of='s')});"
    )


def _agree(key: tuple[str, ...]) -> str:
    return " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in key)
