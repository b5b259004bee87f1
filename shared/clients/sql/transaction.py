"""One transaction's view of a database: a deadline on each statement, and locks that end with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Final

from sqlalchemy import Select, Table
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.sql import Executable

from shared.clients.retrying import TransientError
from shared.clients.sql.statements import COUNT_OBJECTS
from shared.clients.sql.tables import create_indexes, create_table

APPLOCK: Final = """\
SET NOCOUNT ON;
DECLARE @resource nvarchar(255) = ?, @timeout int = ?, @answer int;
-- A table must be read first: else no transaction is open yet that could own the lock.
SELECT @answer = COUNT(*) FROM sys.objects WHERE object_id = 0;
EXEC @answer = sp_getapplock
  @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @timeout;
SELECT @answer;
"""

_BEGIN: Final = "BEGIN IMMEDIATE"
_OPERATIONS: Final = 20_000  # of SQLite between two looks at the clock: some milliseconds
_GRANTED: Final = 0

type Parameter = str | int | float | datetime | None
type Found = CursorResult[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Transaction:
    """Runs composed statements until its deadline, `ends` seconds of a clock that never goes back.

    dialect: `sqlite` or `mssql`. driver: the connection of sqlite3 or pyodbc.
    """

    connection: Connection
    ends: float
    clock: Callable[[], float]
    dialect: str
    driver: Any

    @classmethod
    def of(cls, connection: Connection, ends: float, clock: Callable[[], float]) -> "Transaction":
        """Take over a connection; a statement of SQLite is broken off at the deadline."""
        dialect, driver = connection.dialect.name, connection.connection.dbapi_connection
        transaction = cls(connection, ends, clock, dialect, driver)
        if dialect == "sqlite":
            transaction.driver.set_progress_handler(lambda: clock() >= ends, _OPERATIONS)
        return transaction

    def execute(self, statement: Executable, **parameters: Parameter) -> Found:
        """Run a statement with its parameters."""
        self._begin_statement()
        return self.connection.execute(statement, parameters)

    def execute_many(self, text: str, rows: Sequence[tuple[Parameter, ...]]) -> None:
        """Run a statement as the driver takes it for each of some rows, one at least, of what the driver takes."""
        self._begin_statement()
        self.connection.exec_driver_sql(text, rows)

    def number(self, query: Select[int], **parameters: Parameter) -> int:
        """Run a query that gives one number."""
        return int(self.execute(query, **parameters).scalar_one())

    def has(self, table: str, other: str | None = None) -> bool:
        """Say whether there is a table or view of this name, and of the other, that this identity may see."""
        names = (table, other or table)
        return self.number(COUNT_OBJECTS[self.dialect], first=names[0], second=names[1]) == len(set(names))

    def make(self, table: Table, other: Table | None = None) -> None:
        """Make a table, and another, where they are not there yet, under a lock of their own."""
        if self.has(table.name, other.name if other is not None else None):
            return
        self.lock(f"{table.name}: making the tables")
        for made in (table, other):
            if made is not None and not self.has(made.name):
                self.execute(create_table(made, self.dialect))
                for index in create_indexes(made, self.dialect):
                    self.execute(index)

    def lock(self, what: str) -> None:
        """Wait until nobody else holds the lock of that name; SQLite has one lock for all names."""
        if self.dialect == "sqlite":
            if not self.driver.in_transaction:
                self._run(_BEGIN)
            return
        answer = self._run(APPLOCK, what, max(int(self._left() * 1000), 0)).scalar_one()
        if answer < _GRANTED:
            message = f"The lock {what!r} could not be acquired in time (sp_getapplock answers {answer})."
            raise TransientError(message)

    def _run(self, text: str, *cells: str | int) -> Found:
        self._begin_statement()
        return self.connection.exec_driver_sql(text, cells)

    def _begin_statement(self) -> None:
        seconds = self._left()
        if seconds <= 0:
            raise TransientError("The database was too slow: no time was left for the next statement.")
        if self.dialect == "mssql":
            self.driver.timeout = ceil(seconds)
        else:
            self.driver.execute(f"PRAGMA busy_timeout = {ceil(seconds * 1000)}")

    def _left(self) -> float:
        return self.ends - self.clock()
