"""The SQL database that enrichment writes to: Azure SQL by access token, or a SQLite file on one machine."""

import importlib
import struct
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from shared.clients.identity.credentials import Identity
from shared.clients.retrying import CONNECT_SECONDS, RetryPolicy
from shared.clients.sql.odbc import choose_driver
from shared.clients.sql.transaction import Deadline
from shared.errors import SettingsError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

SCOPE: Final = "https://database.windows.net/.default"

_ACCESS_TOKEN: Final = 1256  # SQL_COPT_SS_ACCESS_TOKEN of Microsoft's ODBC drivers
_PORT: Final = 1433
_STATEMENT_SECONDS: Final = 10
_SQLITE: Final = "sqlite:///"
_FORM: Final = "A SQL URL is sqlite:///<path> or mssql://<server>[:<port>]/<database>, without user and password."


class Denied(Unavailable):
    """The database does not let this identity do what was asked; only an administrator can cure it."""


class Counts(Protocol):
    """The row counts that enrichment wrote."""

    def of_window(self, window_id: str) -> dict[str, dict[str, int]] | None:
        """Give the rows of a window by stream, then by `<stage>/<name>`; None where there is no such table yet.

        A window that nothing was written of is empty. Raises Unavailable or LoginRefused.
        """


class SqlDatabase:
    """A database that pieces of work are done in, each in a transaction of its own.

    Azure SQL is connected to anew for each: a pooled connection outlives its token. What an engine keeps open is closed
    with this object. SQLAlchemy is imported at first use: it would cost a second of every cold start.
    """

    def __init__(self, name: str, engine: "Callable[[], Engine]", persistence: RetryPolicy | None = None) -> None:
        """Keep the way to the engine and what messages call the database; nothing is dialled yet."""
        self._name = name
        self._make = engine
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._persistence = persistence or RetryPolicy()

    def call[Answer](
        self, work: "Callable[[Connection, Deadline], Answer]", persistence: RetryPolicy | None = None
    ) -> Answer:
        """Give what `work` does in one transaction, done again while the database fails in passing.

        work: is told when its try ends. persistence: in the place of the database's own. Raises Unavailable, Denied,
        LoginRefused or SettingsError.
        """
        from shared.clients.sql.engine import run_in  # noqa: PLC0415

        engine, chosen = self._made(), persistence or self._persistence
        clock = chosen.clock.now

        def attempt(seconds: float) -> Answer:
            deadline = Deadline(clock() + seconds, clock)
            return run_in(engine, self._name, lambda connection: work(connection, deadline))

        return chosen.call(attempt)

    def _made(self) -> "Engine":
        with self._lock:
            if self._engine is None:
                self._engine = self._make()
                weakref.finalize(self, self._engine.dispose)
            return self._engine


@dataclass(frozen=True, slots=True)
class SqlCounts:
    """The counts in the table `window_counts`."""

    database: SqlDatabase

    def of_window(self, window_id: str) -> dict[str, dict[str, int]] | None:
        """Read them."""
        from shared.clients.sql.engine import read_counts  # noqa: PLC0415

        return self.database.call(lambda connection, _: read_counts(connection, window_id))


@dataclass(slots=True)
class FakeCounts:
    """The counts of windows, `None` for no table; raises `failure` where it is set."""

    windows: dict[str, dict[str, dict[str, int]]] | None = field(default_factory=dict)
    failure: Exception | None = None

    def of_window(self, window_id: str) -> dict[str, dict[str, int]] | None:
        """Look them up."""
        if self.failure is not None:
            raise self.failure
        return None if self.windows is None else self.windows.get(window_id, {})


def sql_database(
    url: str,
    identity: Identity,
    *,
    persistence: RetryPolicy | None = None,
    odbc: Callable[[], Any] | None = None,
    makes_file: bool = False,
) -> SqlDatabase:
    """Give the database of a URL: `sqlite:///<path>`, or `mssql://<server>[:<port>]/<database>` as the identity.

    odbc: gives another module in the place of pyodbc, which is imported at first use alone. makes_file: a file that is
    not there yet is made, not read as an empty database. Raises SettingsError for any other URL; what ODBC lacks on
    this machine is told at first use, as SettingsError too.
    """
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        path = Path(unquote(url.removeprefix(_SQLITE)))
        return SqlDatabase("The SQLite database", partial(_sqlite_engine, path, makes_file=makes_file), persistence)
    server = server_of(url)
    engine = partial(_azure_engine, server, identity, odbc or _pyodbc)
    return SqlDatabase(f"The database at {server.host}", engine, persistence)


@dataclass(frozen=True, slots=True)
class Server:
    """Where a database of Azure SQL is."""

    host: str
    port: int
    database: str


def odbc_connection(server: Server, driver: str) -> str:
    """Write the connection string that goes with an access token: no user, no password, no word on the login."""
    parts = {
        "Driver": _braced(driver),
        "Server": _braced(f"tcp:{server.host},{server.port}"),
        "Database": _braced(server.database),
        "Encrypt": "yes",
        "TrustServerCertificate": "no",
    }
    return ";".join(f"{name}={value}" for name, value in parts.items())


def token_bytes(token: str) -> bytes:
    """Write an access token as the driver wants it: the length in 4 bytes (little-endian), then UTF-16."""
    text = token.encode("utf-16-le")
    return struct.pack(f"<I{len(text)}s", len(text), text)


def server_of(url: str) -> Server:
    """Read `mssql://<server>[:<port>]/<database>` (or `mssql+pyodbc://`); raises SettingsError for any other text."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT
    except ValueError:
        raise SettingsError(_FORM) from None
    database = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"mssql", "mssql+pyodbc"} or not (parts.hostname and database) or "@" in parts.netloc:
        raise SettingsError(_FORM)
    return Server(parts.hostname, port, database)


def _sqlite_engine(path: Path, *, makes_file: bool) -> "Engine":
    from shared.clients.sql.engine import sqlite_engine  # noqa: PLC0415

    return sqlite_engine(path, makes_file=makes_file)


def _pyodbc() -> Any:  # noqa: ANN401 - a module without types
    return importlib.import_module("pyodbc")


def _azure_engine(server: Server, identity: Identity, odbc: Callable[[], Any]) -> "Engine":
    from shared.clients.sql.engine import odbc_engine  # noqa: PLC0415

    try:
        module = odbc()
    except ImportError as error:
        raise SettingsError(f"pyodbc, which Azure SQL needs, can't be imported: {error}") from error
    module.pooling = False  # the driver manager's pool would hand out connections of tokens long expired
    text = odbc_connection(server, choose_driver(module.drivers()))
    return odbc_engine(module, partial(_log_in, module, text, identity))


def _log_in(module: Any, text: str, identity: Identity) -> Any:  # noqa: ANN401 - pyodbc has no types
    token = token_bytes(identity.token(SCOPE).value)
    connection = module.connect(text, attrs_before={_ACCESS_TOKEN: token}, timeout=int(CONNECT_SECONDS))
    connection.timeout = _STATEMENT_SECONDS
    return connection


def _braced(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"
