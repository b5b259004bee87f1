"""What of SQL needs SQLAlchemy: engines, statements and errors; imported when a database is first used."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Engine,
    MetaData,
    Select,
    String,
    Table,
    create_engine,
    inspect,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from shared.clients.persistence import CONNECT_SECONDS, Passing
from shared.errors import LoginRefused, Unavailable

_LOGIN_REFUSED: Final = "28000"
_EXCERPT: Final = 200

WINDOW_COUNTS: Final = Table(
    "window_counts",
    MetaData(),
    Column("window_id", String(100), primary_key=True),
    Column("stream", String(100), primary_key=True),
    Column("stage", String(100), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("updated_at", DateTime, nullable=False),
)
"""What the lakehouse counted of each window; the lakehouse makes the table and writes it."""


def run_in[Answer](engine: Engine, name: str, work: Callable[[Connection], Answer]) -> Answer:
    """Give what `work` does in one transaction; raises LoginRefused, Passing or Unavailable, which call it `name`."""
    try:
        with engine.begin() as connection:
            return work(connection)
    except DBAPIError as error:
        raise _failure(error, name) from error
    except SQLAlchemyError as error:
        raise Unavailable(f"{name} can't be used: {type(error).__name__}.") from error


def counts_of(window_id: str) -> Select[str, str, str, int]:
    """Write the statement that reads a window's counts."""
    columns = WINDOW_COUNTS.c
    return select(columns["stream"], columns["stage"], columns["name"], columns["rows"]).where(
        columns["window_id"] == window_id
    )


def read_counts(connection: Connection, window_id: str) -> dict[str, dict[str, int]] | None:
    """Read a window's counts by stream, then by `<stage>/<name>`; None where there is no table."""
    if not inspect(connection).has_table(WINDOW_COUNTS.name):
        return None
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for stream, stage, name, rows in connection.execute(counts_of(window_id)):
        found[stream][f"{stage}/{name}"] = rows
    return dict(found)


def sqlite_engine(path: Path) -> Engine:
    """Give the engine of a file; a file that is not there yet is read as an empty database, and not made."""
    return create_engine("sqlite://", creator=partial(_open_file, path), poolclass=NullPool)


def odbc_engine(module: Any, connect: Callable[[], Any]) -> Engine:  # noqa: ANN401 - pyodbc has no types
    """Give the engine of SQL Server by the module pyodbc, whose connections `connect` makes."""
    return create_engine("mssql+pyodbc://", module=module, creator=connect, poolclass=NullPool)


def _failure(error: DBAPIError, name: str) -> LoginRefused | Passing:
    words = " ".join(str(error.orig).split())[:_EXCERPT]
    if error.orig is not None and error.orig.args[:1] == (_LOGIN_REFUSED,):
        return LoginRefused(f"{name} refused the login: {words}")
    return Passing(f"{name} does not answer as it should: {words}")


def _open_file(path: Path) -> sqlite3.Connection:
    place = f"{path.resolve().as_uri()}?mode=rw" if path.exists() else "file::memory:"
    return sqlite3.connect(place, timeout=CONNECT_SECONDS, uri=True, check_same_thread=False)
