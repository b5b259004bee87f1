"""What the demo's runs published as figures: tables of SQL with a row for a day and a queue, not for a record."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

_ROWS, _COLUMNS = 5, 10
_OF_RECORDS = "window_id"
"""Tables with this column have a row a record: they are counted, not shown."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The first rows of one table, of `count`."""

    table: str
    count: int
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def read_figures(database: Path) -> list[Figures]:
    """Read the tables of figures that runs published, in the order of their names; none where nothing was."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "published" not in there:
            return []
        published = {name for (name,) in connection.execute('SELECT "table" FROM published')} & there
        columns = {name: _columns(connection, name) for name in sorted(published)}
        return [_read(connection, name, found) for name, found in columns.items() if _OF_RECORDS not in found]


def print_figures(console: Console, figures: Sequence[Figures]) -> None:
    """Print each table's first rows and columns."""
    for one in figures:
        title = f"{one.table}: {len(one.rows)} of {one.count} rows"
        if not console.is_terminal:
            console.out(f"{title}; {', '.join(one.columns)}", highlight=False)
            for row in one.rows:
                console.out(f"  {', '.join(map(_text, row))}", highlight=False)
            continue
        table = Table(*one.columns, title=title, title_justify="left")
        for row in one.rows:
            table.add_row(*map(_text, row))
        console.print(table)


def _read(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> Figures:
    shown = columns[:_COLUMNS]
    named = ", ".join(f'"{column}"' for column in shown)
    rows = connection.execute(f'SELECT {named} FROM "{table}" ORDER BY 1, 2, 3 LIMIT {_ROWS}').fetchall()  # noqa: S608
    (count,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 - a name of the database's
    return Figures(table, count, shown, rows)


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def _text(value: object) -> str:
    return "-" if value is None else str(value)
