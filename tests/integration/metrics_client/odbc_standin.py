"""A stand-in for pyodbc: T-SQL is checked and translated by sqlglot, and run by a SQLite file behind it."""

import sqlite3
from functools import cache
from importlib.resources import files

import sqlglot

STATEMENTS = files("shared.clients.sql").joinpath("statements")
BY_HAND = ("create_metrics", "create_alerts", "find_objects")  # what SQLite says in another way altogether
OF_THE_SERVER = {  # what SQLAlchemy asks a server that it meets for the first time
    "ProductVersion": "16.0.1000.6",
    "schema_name": "dbo",
    "sys.system_views": None,
    "test max support": "test max support",
    "fn_listextendedproperty": 1,
    "transaction_isolation_level": "READ COMMITTED",
}


class Error(Exception):
    """A driver's error: its SQLSTATE, then its words."""


def refusal(number, words="Words of the server.", state="42000"):
    return Error(state, f"[{state}] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]{words} ({number}) (SQLExec)")


class Odbc:
    """The module. faults: `{a part of a statement, or "COMMIT": errors to raise one after the other}`."""

    Error = Error
    ProgrammingError = type("ProgrammingError", (Error,), {})
    Cursor = object
    paramstyle, version, apilevel = "qmark", "5.5.0", "2.0"
    pooling = True

    def __init__(self, path):
        self.path, self.faults, self.statements, self.timeouts, self.locks = path, {}, [], [], []
        self.answers_of_locks, self.tokens = [], []

    def drivers(self):
        return ["ODBC Driver 18 for SQL Server"]

    def connect(self, text, *, attrs_before, timeout):
        self.tokens.extend(attrs_before.values())
        return Connection(self)

    def fail(self, point):
        for part, errors in self.faults.items():
            if part in point and errors:
                raise errors.pop(0)


class Connection:
    def __init__(self, odbc):
        self.odbc, self.timeout = odbc, 0
        self.behind = sqlite3.connect(odbc.path, isolation_level=None, timeout=5, check_same_thread=False)

    def cursor(self):
        return Cursor(self)

    def commit(self):
        writes = self.behind.in_transaction
        if writes:
            self.odbc.fail("BEFORE COMMIT")
        self.behind.commit()
        if writes:
            self.odbc.fail("AFTER COMMIT")

    def rollback(self):
        self.behind.rollback()

    def add_output_converter(self, kind, converter):
        """Nothing of ours is of that kind."""

    def close(self):
        self.behind.close()


class Cursor:
    def __init__(self, connection):
        self.connection, self.odbc = connection, connection.odbc
        self.found = connection.behind.cursor()

    def execute(self, statement, *parameters):
        cells = tuple(parameters[0]) if parameters else ()
        known = [answer for part, answer in OF_THE_SERVER.items() if part in statement]
        if known:
            self.found.execute("SELECT ?", known)
            return
        self.odbc.statements.append(statement)
        self.odbc.timeouts.append(self.connection.timeout)
        self.odbc.fail(statement)
        self._run(statement, cells)

    def _run(self, statement, cells):
        try:
            if "sp_getapplock" in statement:
                self._lock(*cells)
            else:
                self.found.execute(translated(statement), cells)
        except sqlite3.OperationalError as error:
            raise refusal(1222 if "locked" in str(error) else 208, str(error)) from error

    def _lock(self, resource, patience):
        self.odbc.locks.append((resource, patience))
        if not self.connection.behind.in_transaction:
            self.connection.behind.execute("BEGIN IMMEDIATE")
        answers = self.odbc.answers_of_locks
        self.found.execute("SELECT ?", (answers.pop(0) if answers else 0,))

    def __getattr__(self, name):
        return getattr(self.found, name)


@cache
def translated(statement):
    for name in BY_HAND:
        if statement == STATEMENTS.joinpath("tsql", f"{name}.sql").read_text():
            return STATEMENTS.joinpath("sqlite", f"{name}.sql").read_text()
    (written,) = sqlglot.transpile(statement, read="tsql", write="sqlite", error_level=sqlglot.ErrorLevel.RAISE)
    return written
