"""What of SQL needs SQLAlchemy: engines, statements and errors; imported when a database is first used."""

import re
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
from sqlalchemy.pool import NullPool, QueuePool

from shared.clients.retrying import CONNECT_SECONDS, TransientError
from shared.clients.sql.database import Denied
from shared.errors import LoginRefused, Unavailable

_EXCERPT: Final = 300

_LOGIN_REFUSED: Final = "28000"
_PASSING_STATES: Final = {"HYT00", "HYT01", "40001"}  # time-outs and deadlocks; 08xxx are lost connections
_NUMBER: Final = re.compile(r"\((\d{1,6})\)(?=\s*(?:\(SQL\w+\)|;|[\"')]|$))")  # ODBC: `words (number) (function)`
_PASSING: Final = frozenset(
    {
        *(20, 64, 233, 10053, 10054, 10060),  # the connection was cut or not made
        *(4060, 4221, 40197, 40501, 40613, 49918, 49919, 49920),  # the database moves, sleeps or is busy
        *(10928, 10929),  # too many workers or sessions
        *(1205, 1222, 3960),  # lost to another transaction
        *(2601, 2627, 2714),  # another made the same row or table at the same time: the next try finds it
    }
)
"""Errors of SQL Server that pass: learn.microsoft.com, "Transient connection errors for Azure SQL", and races."""

_DENIED: Final = frozenset({229, 230, 262, 297, 300, 2760})  # permission denied: object, column, statement, schema
_PRIMARY: Final = 0xFF
_SQLITE_PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT})
_SQLITE_DENIED: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})

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
    """Give what `work` does in one transaction; raises LoginRefused, TransientError or Unavailable, by `name`."""
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


def sqlite_engine(path: Path, *, makes_file: bool = False) -> Engine:
    """Give the engine of a file; one that is not there yet is read as an empty database, unless it may be made.

    Its transactions begin by a statement of their own: what only reads needs none.
    """
    connect = partial(_open_file, path, makes_file=makes_file)
    pool = {"poolclass": QueuePool, "max_overflow": -1} if makes_file else {"poolclass": NullPool}
    return create_engine("sqlite://", creator=connect, **pool)


def odbc_engine(module: Any, connect: Callable[[], Any]) -> Engine:  # noqa: ANN401 - pyodbc has no types
    """Give the engine of SQL Server by the module pyodbc, whose connections `connect` makes."""
    return create_engine("mssql+pyodbc://", module=module, creator=connect, poolclass=NullPool)


def _failure(error: DBAPIError, name: str) -> LoginRefused | Unavailable:
    """Sort what a driver says: whether another try, an administrator, or neither may cure it."""
    words = " ".join(str(error.orig).split())[:_EXCERPT]
    sort = _sqlite_sort(error.orig) if isinstance(error.orig, sqlite3.Error) else _server_sort(error.orig)
    if sort is LoginRefused:
        return LoginRefused(f"{name} refused the login: {words}")
    return sort(f"{name} does not answer as it should: {words}")


def _sqlite_sort(error: sqlite3.Error) -> type[Unavailable]:
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code in _SQLITE_PASSING:
        return TransientError
    return Denied if code in _SQLITE_DENIED else Unavailable


def _server_sort(error: object) -> type[LoginRefused | Unavailable]:
    state = str(next(iter(getattr(error, "args", ())), ""))
    numbers = {int(number) for number in _NUMBER.findall(str(error))}
    if numbers & _PASSING or state in _PASSING_STATES or state.startswith("08"):
        return TransientError
    if state == _LOGIN_REFUSED:
        return LoginRefused
    return Denied if numbers & _DENIED else Unavailable


def _open_file(path: Path, *, makes_file: bool) -> sqlite3.Connection:
    mode = "rwc" if makes_file else "rw"
    place = f"{path.resolve().as_uri()}?mode={mode}" if makes_file or path.exists() else "file::memory:"
    opened = sqlite3.connect(place, timeout=CONNECT_SECONDS, uri=True, check_same_thread=False, isolation_level=None)
    return _writing(opened) if makes_file else opened


def _writing(opened: sqlite3.Connection) -> sqlite3.Connection:
    """Keep the journal's file: making and removing it in each transaction would cost as much again as its commit."""
    try:
        opened.execute("PRAGMA journal_mode = PERSIST")
    except sqlite3.Error:
        opened.close()
        raise
    return opened
