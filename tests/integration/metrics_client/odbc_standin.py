"""A stand-in for pyodbc: T-SQL is parsed and translated by sqlglot, and run by a SQLite file behind it."""

import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import sqlglot
from sqlglot import expressions

# SQL Server's catalogue, in terms of SQLite's: one schema, which is 1.
OBJECTS = """
  SELECT * FROM (
    SELECT name, CASE type WHEN 'table' THEN 'U' WHEN 'view' THEN 'V' END AS type, 1 AS schema_id FROM sqlite_master
  ) AS objects
"""
AS_TEXT = {
    expressions.DType.NVARCHAR,
    expressions.DType.DECIMAL,
    expressions.DType.DATETIME2,
}  # SQLite keeps each digit
ROW_VERSION = expressions.DType.ROWVERSION
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
        self.answers_of_locks, self.tokens, self.cells = [], [], []

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
        self.behind.create_function("SCHEMA_ID", -1, lambda *_: 1)

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
        self.odbc.cells.append(cells)
        self.odbc.timeouts.append(self.connection.timeout)
        self.odbc.fail(statement)
        self._run(statement, cells)

    def _run(self, statement, cells):
        try:
            if "sp_getapplock" in statement:
                self._lock(*cells)
            else:
                translation = translated(statement)
                if translation.twins:
                    self._refuse_twins(translation.twins, [as_sqlite(cell) for cell in cells])
                self.found.execute(translation.statement, [as_sqlite(cell) for cell in cells])
                for further in translation.then:
                    self.connection.behind.execute(further)
        except sqlite3.IntegrityError as error:
            raise refusal(2627 if "UNIQUE" in str(error) else 515, str(error), "23000") from error
        except sqlite3.OperationalError as error:
            raise refusal(1222 if "locked" in str(error) else 208, str(error)) from error

    def _refuse_twins(self, query, cells):
        """Refuse a MERGE of two rows of one key, as SQL Server does."""
        if self.found.execute(query, cells).fetchone():
            raise refusal(8672, "The MERGE statement attempted to UPDATE or DELETE the same row more than once.")

    def _lock(self, resource, timeout):
        self.odbc.locks.append((resource, timeout))
        if not self.connection.behind.in_transaction:
            self.connection.behind.execute("BEGIN IMMEDIATE")
        answers = self.odbc.answers_of_locks
        self.found.execute("SELECT ?", (answers.pop(0) if answers else 0,))

    def __getattr__(self, name):
        return getattr(self.found, name)


def as_sqlite(cell):
    """Take only what pyodbc takes of ours; SQLite keeps a decimal's digits as a text alone."""
    if not isinstance(cell, str | int | float | Decimal | None):
        raise TypeError(f"pyodbc was handed a {type(cell).__name__}: {cell!r}")
    return str(cell) if isinstance(cell, Decimal) else cell


@dataclass(frozen=True)
class Translation:
    """What SQLite runs, and what after it; `twins` finds rows of a MERGE that have one key."""

    statement: str
    twins: str | None = None
    then: tuple[str, ...] = ()


@cache
def translated(statement):
    """Translate a statement that T-SQL's grammar knows; what it does in SQLite is what it says."""
    (tree,) = sqlglot.parse(statement, dialect="tsql", error_level=sqlglot.ErrorLevel.RAISE)
    if isinstance(tree, expressions.Command):
        raise refusal(102, f"Incorrect syntax: {statement}")
    tree = tree.transform(_as_sqlite)
    if isinstance(tree, expressions.Merge):
        return _upsert(tree)
    versions = [each.name for each in tree.find_all(expressions.ColumnDef) if each.kind.this == ROW_VERSION]
    return Translation(tree.sql("sqlite"), then=_counted(tree.this.this.name, *versions) if versions else ())


def _counted(table, column):
    """Number each change of a table's rows as SQL Server numbers those of a whole database."""
    number = "UPDATE _versions SET newest = newest + 1"
    given = f'UPDATE "{table}" SET "{column}" = (SELECT newest FROM _versions) WHERE rowid = NEW.rowid'
    return (
        "CREATE TABLE IF NOT EXISTS _versions AS SELECT 0 AS newest",
        *(
            f'CREATE TRIGGER "{table}_{event}" AFTER {event} ON "{table}" BEGIN {number}; {given}; END'
            for event in ("INSERT", "UPDATE")
        ),
    )


def _upsert(merge):
    """Say a MERGE of values by their key as SQLite does; one that does anything else is refused."""
    source = merge.args["using"]
    names = [column.name for column in source.args["alias"].columns]
    key = [same.this.name for same in merge.args["on"].find_all(expressions.EQ)]
    whens = {when.args["matched"]: when.args["then"] for when in merge.args["whens"].expressions}
    changes = [change.this.name for change in whens[True].expressions] if True in whens else []
    if {*key, *changes} != set(names) or [column.name for column in whens[False].this.expressions] != names:
        raise refusal(102, f"No MERGE by a key: {merge.sql('tsql')}")
    rows = ", ".join(row.sql("sqlite") for row in source.expressions)
    places = ", ".join(f"column{names.index(name) + 1}" for name in key)
    quoted = {name: f'"{name}"' for name in names}
    change = ", ".join(f"{quoted[name]} = excluded.{quoted[name]}" for name in changes)
    return Translation(
        f'INSERT INTO "{merge.this.name}" ({", ".join(quoted.values())}) VALUES {rows} '
        f"ON CONFLICT ({', '.join(quoted[name] for name in key)}) DO {f'UPDATE SET {change}' if change else 'NOTHING'}",
        f"SELECT 1 FROM (VALUES {rows}) GROUP BY {places} HAVING COUNT(*) > 1",
    )


def _as_sqlite(node):
    if isinstance(node, expressions.Anonymous) and node.name == "MIN_ACTIVE_ROWVERSION":
        return sqlglot.parse_one("(SELECT newest + 1 FROM _versions)")
    if isinstance(node, expressions.Cast) and node.to.this == expressions.DType.BINARY:
        return node.this  # a version is a number there
    if isinstance(node, expressions.ColumnDef) and node.kind.this == ROW_VERSION:
        node.set("constraints", [])  # the trigger fills it after the insertion
    if isinstance(node, expressions.Table) and (node.db, node.name) == ("sys", "objects"):
        return sqlglot.parse_one(OBJECTS).find(expressions.Subquery)
    if isinstance(node, expressions.Table) and node.db == "dbo":
        node.set("db", None)
    if isinstance(node, expressions.DataType) and node.this in AS_TEXT:
        return expressions.DataType.build("text")
    if isinstance(node, expressions.Collate):
        return node.this
    # SQLite compares texts to the letter by itself, and knows no other collation of that meaning.
    is_collation = isinstance(node.args.get("kind"), expressions.CollateColumnConstraint)
    return None if is_collation else node
