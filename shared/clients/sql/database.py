"""The SQL database that enrichment writes to: Azure SQL by access token, or a SQLite file on one machine."""

import importlib
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from shared.clients.identity.credentials import Identity
from shared.clients.retrying import CONNECT_SECONDS, AmbiguousRefusal, RetryPolicy, TransientError
from shared.clients.sql.answers import (
    LOGIN_FAILED,
    meaning_of_server_error,
    meaning_of_sqlite_error,
    numbers_of,
)
from shared.clients.sql.odbc import Server, choose_driver, log_in, odbc_connection, server_of
from shared.clients.sql.transaction import Transaction
from shared.domain.failures import FailureKind
from shared.errors import Denied, LoginRefused, ServiceRefused, SettingsError, Unavailable

_SQLITE: Final = "sqlite:///"
_EXCERPT: Final = 300
_CACHE_KIB: Final = 8_000
_LOGIN_STATE: Final = "28000"


class ValuesRefused(Unavailable):
    """The database can't hold values that a statement gave it: no other try cures that."""

    kind = FailureKind.REJECTED


class SqlDatabase:
    """A database that pieces of work are done in, each in a transaction of its own.

    Azure SQL is connected to anew for each: a pooled connection outlives its token. What an engine keeps open is closed
    with this object.
    """

    def __init__(
        self,
        name: str,
        engine: Callable[[], Engine],
        retry: RetryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the way to the engine and what messages call the database; nothing is dialled yet."""
        self._name = name
        self._make = engine
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._retry = retry or RetryPolicy()
        self._clock = clock

    @property
    def dialect(self) -> str:
        """Give what the database speaks, `sqlite` or `mssql`; raises SettingsError."""
        return self._made().dialect.name

    def call[Answer](self, work: Callable[[Transaction], Answer], retry: RetryPolicy | None = None) -> Answer:
        """Give what `work` does in one transaction, done again in another while the database fails in passing.

        retry: in the place of the database's own. Raises Unavailable, Denied, ValuesRefused, LoginRefused or
        SettingsError.
        """

        def attempt(seconds: float) -> Answer:
            with self.transaction(seconds) as transaction:
                return work(transaction)

        return (retry or self._retry).call(attempt)

    @contextmanager
    def transaction(self, seconds: float) -> Iterator[Transaction]:
        """Lend a transaction for so many seconds, commit it at the end; raises TransientError and as `call`."""
        try:
            with self._made().begin() as connection:
                yield Transaction.of(connection, self._clock() + seconds, self._clock)
        except DBAPIError as error:
            raise _failure(error, self._name) from error
        except SQLAlchemyError as error:
            raise ServiceRefused(f"{self._name} can't be used: {type(error).__name__}.") from error

    def _made(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._make()
                weakref.finalize(self, self._engine.dispose)
            return self._engine


def sql_database(
    url: str,
    identity: Identity,
    *,
    retry: RetryPolicy | None = None,
    odbc: Callable[[], Any] | None = None,
    makes_file: bool = False,
) -> SqlDatabase:
    """Give the database of a URL: `sqlite:///<path>`, or `mssql://<server>[:<port>]/<database>` as the identity.

    odbc: gives another module in the place of pyodbc, which is imported at first use alone. makes_file: a file that is
    not there yet is made, not read as an empty database. Raises SettingsError for any other URL; what ODBC lacks on
    this machine is reported at first use, as SettingsError too.
    """
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        path = Path(unquote(url.removeprefix(_SQLITE)))
        return SqlDatabase("The SQLite database", partial(sqlite_engine, path, makes_file=makes_file), retry)
    server = server_of(url)
    engine = partial(_azure_engine, server, identity, odbc or _pyodbc)
    return SqlDatabase(f"The database at {server.host}", engine, retry)


def sqlite_engine(path: Path, *, makes_file: bool = False) -> Engine:
    """Give the engine of a file; one that is not there yet is read as an empty database, unless it may be made.

    Its transactions begin by a statement of their own: what only reads needs none.
    """
    connect = partial(_open_file, path, makes_file=makes_file)
    pool = {"poolclass": QueuePool, "max_overflow": -1} if makes_file else {"poolclass": NullPool}
    return create_engine("sqlite://", creator=connect, **pool)


def _pyodbc() -> Any:  # noqa: ANN401 - a module without types
    return importlib.import_module("pyodbc")


def _azure_engine(server: Server, identity: Identity, odbc: Callable[[], Any]) -> Engine:
    try:
        module = odbc()
    except ImportError as error:
        raise SettingsError(f"pyodbc, which Azure SQL needs, can't be imported: {error}") from error
    module.pooling = False  # the driver manager's pool would hand out connections of tokens long expired
    text = odbc_connection(server, choose_driver(module.drivers()))
    connect = partial(log_in, module, text, identity)
    # pyodbc sends every text as Unicode by itself; given sizes, it would send some as VARCHAR and lose letters.
    return create_engine("mssql+pyodbc://", module=module, creator=connect, poolclass=NullPool, use_setinputsizes=False)


def _open_file(path: Path, *, makes_file: bool) -> sqlite3.Connection:
    mode = "rwc" if makes_file else "rw"
    place = f"{path.resolve().as_uri()}?mode={mode}" if makes_file or path.exists() else "file::memory:"
    opened = sqlite3.connect(place, timeout=CONNECT_SECONDS, uri=True, check_same_thread=False, isolation_level=None)
    return _writing(opened) if makes_file else opened


def _writing(opened: sqlite3.Connection) -> sqlite3.Connection:
    """Write ahead, as Spark does that publishes to the same file: another journal would lock it out while it works.

    Keep more pages in memory too, as many as a transaction of some thousand rows touches.
    """
    try:
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except sqlite3.Error:
        opened.close()
        raise
    return opened


def _failure(error: DBAPIError, name: str) -> LoginRefused | Unavailable:
    """Give what a driver's error means: whether another try, an administrator, or neither may cure it."""
    message = " ".join(str(error.orig).split())[:_EXCERPT]
    if isinstance(error.orig, sqlite3.Error):
        return _of_kind(meaning_of_sqlite_error(error.orig), f"{name} does not answer as it should: {message}")
    kind = meaning_of_server_error(error.orig)
    if kind is FailureKind.UNAUTHORIZED and _is_login(error.orig):
        ambiguous = LOGIN_FAILED in numbers_of(error.orig)
        return (AmbiguousRefusal if ambiguous else LoginRefused)(f"{name} refused the login: {message}")
    return _of_kind(kind, f"{name} does not answer as it should: {message}")


def _is_login(error: object) -> bool:
    return str(next(iter(getattr(error, "args", ())), "")) == _LOGIN_STATE


def _of_kind(kind: FailureKind, text: str) -> Unavailable:
    if kind.may_pass:
        return TransientError(text, throttled=kind is FailureKind.THROTTLED)
    return {FailureKind.UNAUTHORIZED: Denied, FailureKind.REJECTED: ValuesRefused}.get(kind, ServiceRefused)(text)
