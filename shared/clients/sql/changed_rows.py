"""The rows of a stream's table that changed since a position, part by part: what a copy of the table takes over.

A position is a number of a change. None is jumped over by a commit that comes late: SQL Server is asked below which
number no transaction is under way any more (`MIN_ACTIVE_ROWVERSION`), and SQLite has one writer at a time.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, Table, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects import mssql

from shared.clients.sql.database import SqlDatabase
from shared.clients.sql.records import RowFormat
from shared.clients.sql.rows import table_of
from shared.clients.sql.stores import ChangedPart
from shared.clients.sql.tables import ROW_VERSION
from shared.clients.sql.transaction import Transaction
from shared.contracts import Contract

_BYTES: Final = 8  # of a rowversion
_NONE, _ONE = (literal_column(text, BigInteger) for text in "01")


@dataclass(frozen=True, slots=True)
class SqlChangedRows:
    """The rows of the table of a contract."""

    contract: Contract
    database: SqlDatabase

    def after(self, position: int, most: int) -> ChangedPart:
        """Read them in one transaction."""
        table = table_of(RowFormat.of(self.contract))

        def read(sql: Transaction) -> ChangedPart:
            if not sql.has(table.name):
                return ChangedPart([], 0, 0)
            newest = sql.number(_newest(table, sql.dialect))
            begin = position if position <= newest else 0
            queries = _queries(table, sql.dialect)
            last = sql.execute(queries.last, after=begin, to=newest, skipped=most - 1).scalar_one_or_none()
            to = newest if last is None else int(last)
            rows = sql.execute(queries.rows, after=begin, to=to).all() if to > begin else []
            return ChangedPart([tuple(row) for row in rows], begin, to, has_more=to < newest)

        return self.database.call(read)


@dataclass(frozen=True, slots=True)
class _Queries:
    """last: the change up to which there are so many rows. rows: those of some changes."""

    last: Select[Any]
    rows: Select[Any]


@cache
def _queries(table: Table, dialect: str) -> _Queries:
    version = _version(dialect)
    between = (version > _position("after", dialect)) & (version <= _position("to", dialect))
    number = cast(version, BigInteger)
    last = select(number).select_from(table).where(between).order_by(version)
    last = last.offset(bindparam("skipped", type_=BigInteger)).limit(_ONE)
    return _Queries(last, select(*table.columns).where(between).order_by(version))


def _newest(table: Table, dialect: str) -> Select[int]:
    """Compose the query for the last change up to which all are committed, in SQL Server of the whole database."""
    if dialect == "sqlite":
        return select(func.coalesce(func.max(_version(dialect)), _NONE)).select_from(table)
    return select(cast(func.MIN_ACTIVE_ROWVERSION(), BigInteger) - 1)


def _version(dialect: str) -> ColumnElement[Any]:
    return literal_column(ROW_VERSION if dialect == "mssql" else "rowid", BigInteger)


def _position(name: str, dialect: str) -> ColumnElement[Any]:
    given = bindparam(name, type_=BigInteger)
    return cast(cast(given, BigInteger), mssql.BINARY(_BYTES)) if dialect == "mssql" else given
