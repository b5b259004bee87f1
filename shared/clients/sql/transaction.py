"""One transaction's view of a database: statements from files, a deadline on each, and locks that end with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from shared.clients.retrying import TransientError
from shared.domain.volumes.measurement import is_table_name
from shared.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, CursorResult

type Cell = str | int | float | None

_OPERATIONS: Final = 20_000  # of SQLite between two looks at the clock: some milliseconds
_GRANTED: Final = 0


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of a clock that never goes back, in seconds."""

    ends: float
    clock: Callable[[], float]

    def left(self) -> float:
        """Give the seconds until then; below zero once it has passed."""
        return self.ends - self.clock()


@dataclass(frozen=True, slots=True)
class Transaction:
    """Runs the statements of `statements/<dialect>/<name>.sql`, or of `any` where both dialects say it alike."""

    connection: "Connection"
    deadline: Deadline
    dialect: str

    @classmethod
    def of(cls, connection: "Connection", deadline: Deadline) -> "Transaction":
        """Take over a connection; a statement of SQLite is broken off at the deadline."""
        dialect = "sqlite" if connection.dialect.name == "sqlite" else "tsql"
        transaction = cls(connection, deadline, dialect)
        if dialect == "sqlite":
            transaction.driver.set_progress_handler(lambda: deadline.left() <= 0, _OPERATIONS)
        return transaction

    @property
    def driver(self) -> Any:  # noqa: ANN401 - a connection of sqlite3 or pyodbc
        """Give the driver's own connection."""
        return self.connection.connection.dbapi_connection

    def rows(self, name: str, *cells: Cell, table: str = "") -> Sequence[Sequence[Any]]:
        """Run a query; gives its rows. table: the identifier that stands for `{table}` in it."""
        return self._run(name, cells, table).fetchall()

    def number(self, name: str, *cells: Cell, table: str = "") -> int:
        """Run a query that gives one number."""
        return int(self.rows(name, *cells, table=table)[0][0])

    def change(self, name: str, *cells: Cell) -> int:
        """Run a statement; gives the number of rows it changed."""
        return self._run(name, cells, "").rowcount

    def has(self, table: str, other: str | None = None) -> bool:
        """Say whether there is a table or view of this name, and of the other, that this identity may see."""
        names = (table, other or table)
        return self.number("find_objects", *names) == len(set(names))

    def lock(self, what: str) -> None:
        """Wait until nobody else holds the lock of that name; SQLite has one lock for all names."""
        if self.dialect == "tsql":
            answer = self.number("lock", what, max(int(self.deadline.left() * 1000), 0))
            if answer < _GRANTED:
                raise TransientError(f"The lock {what!r} was not to be had in time (sp_getapplock answers {answer}).")
        elif not self.driver.in_transaction:
            self.change("begin")

    def _run(self, name: str, cells: tuple[Cell, ...], table: str) -> "CursorResult[Any]":
        seconds = self.deadline.left()
        if seconds <= 0:
            raise TransientError("The database was too slow: no time was left for the next statement.")
        if self.dialect == "tsql":
            self.driver.timeout = ceil(seconds)
        text = _statement(self.dialect, name)
        if table:
            text = text.replace("{table}", f'"{require_table_name(table)}"')
        return self.connection.exec_driver_sql(text, cells)


def require_table_name(identifier: str) -> str:
    """Give the name of a table back; raises SettingsError for what is no plain name: quoting alone is not trusted."""
    if not is_table_name(identifier):
        rule = "a letter or _, then up to 127 letters, digits or _"
        raise SettingsError(f"A measured table's name is {rule}; METRICS_TABLES says {identifier[:40]!r}.")
    return identifier


@cache
def _statement(dialect: str, name: str) -> str:
    folder = files("shared.clients.sql").joinpath("statements")
    own = folder.joinpath(dialect, f"{name}.sql")
    return (own if own.is_file() else folder.joinpath("any", f"{name}.sql")).read_text(encoding="utf-8")
