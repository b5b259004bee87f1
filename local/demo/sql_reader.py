"""Reading back a table of the SQL database: the keys of its rows."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from local.demo.verification import Record

_ATTEMPT = "rows of the table"


async def read_table(database: Path, table: str, columns: Sequence[str]) -> list[Record]:
    """Read the keys that `columns` make of all rows; none where there is no such table."""
    return await asyncio.to_thread(_read, database, table, columns)


def _read(database: Path, table: str, columns: Sequence[str]) -> list[Record]:
    named = ", ".join(f'"{column}"' for column in columns)
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        rows = connection.execute(f'SELECT {named} FROM "{table}"') if table in there else ()  # noqa: S608
        return [Record(_ATTEMPT, tuple(row)) for row in rows]
