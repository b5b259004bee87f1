"""A SQL table as a destination: the records of a stream, one row for each key, of which the last one wins."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from itertools import batched, repeat
from typing import Any, Final

from sqlalchemy import (
    DECIMAL,
    TEXT,
    BigInteger,
    Boolean,
    ClauseElement,
    Dialect,
    Executable,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    literal_column,
)
from sqlalchemy import Column as TableColumn
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import TypeEngine

from shared.clients.retrying import RetryPolicy, Timeouts
from shared.clients.sql.columns import FRACTION_DIGITS, INTEGER_DIGITS, Row, Value
from shared.clients.sql.database import SqlDatabase, ValuesRefused
from shared.clients.sql.records import RowFormat, rows_of
from shared.clients.sql.tables import NUMBERS_CHANGES, Instant, text_type
from shared.clients.sql.transaction import Transaction
from shared.contracts import Contract
from shared.domain.delivery import Delivery, Event, Refusal
from shared.errors import SendFailed, Unavailable

_SQLITE: Final = sqlite.dialect(paramstyle="qmark")
_MOST_MERGED: Final = 500  # rows of one MERGE, each of which is a transaction
_MOST_PARAMETERS: Final = 2_000  # of one MERGE; SQL Server takes 2,100
_MOST_IN_FILE: Final = 10_000  # rows of one transaction of SQLite, which journals and writes each page that it touches


type _KeyRow = tuple[Row, int]  # the newest row of a key, and how many records gave one


@dataclass(frozen=True, slots=True)
class SqlRows:
    """Upserts the records of a contract into the table named after its stream, which is made where it may be.

    A record that the table can't hold is refused with its reason, and its neighbours are stored. Some hundred rows
    are one transaction, in SQLite some thousand. Each row that is stored gets a number above all others, by which it is
    found as changed: SQL Server's `row_version`, in SQLite its `rowid`. retry: how long one send is tried, with all its
    transactions.
    """

    contract: Contract
    database: SqlDatabase
    retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(Timeouts()))

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Store the records; raises SendFailed with what was stored before, LoginRefused or SettingsError."""
        return await asyncio.to_thread(self._send, events)

    def _send(self, events: Sequence[Event]) -> Delivery:
        row_format = RowFormat.of(self.contract)
        table = table_of(row_format)
        rows, delivery = rows_of(events, row_format)
        if not rows:
            return delivery
        end = self.retry.begin().end
        try:
            for batch in batched(_grouped(rows, row_format), self._rows_at_once(table), strict=False):
                for stored in self._stored(table, batch, end):
                    delivery = delivery + stored
        except SendFailed as failed:
            raise failed.after(delivery) from failed
        return delivery + Delivery(events=len(events) if delivery.accepted else 0)

    def _rows_at_once(self, table: Table) -> int:
        if self.database.dialect == "sqlite":
            return _MOST_IN_FILE
        return max(min(_MOST_MERGED, _MOST_PARAMETERS // len(table.columns)), 1)

    def _stored(self, table: Table, batch: Sequence[_KeyRow], end: float) -> Iterator[Delivery]:
        """Store a batch; where the database refuses a value of it, in halves, until that row is alone."""
        try:
            self._commit(table, batch, end)
            yield Delivery(accepted=_records(batch))
        except ValuesRefused as error:
            if len(batch) == 1:
                yield Delivery(refusals=(Refusal(_records(batch), str(error)),))
                return
            middle = len(batch) // 2
            yield from self._stored(table, batch[:middle], end)
            yield from self._stored(table, batch[middle:], end)

    def _commit(self, table: Table, batch: Sequence[_KeyRow], end: float) -> None:
        """Store a batch in one transaction, tried until `end`, seconds of the policy's clock."""
        reached_commits: list[bool] = []

        def once(sql: Transaction) -> None:
            sql.lock(table.name)
            sql.make(table)
            rows = [row for row, _ in batch]
            if sql.dialect == "mssql":
                sql.execute(Merge(table, rows))
            else:
                sql.execute_many(_upsert_text(table), rows)
            reached_commits.append(True)

        left = replace(self.retry.timeouts, total=max(end - self.retry.clock.now(), 0.0))
        try:
            self.database.call(once, replace(self.retry, timeouts=left))
        except ValuesRefused:
            raise
        except Unavailable as error:
            # What was written as far as the commit may be there, though no answer came.
            unknown = _records(batch) if reached_commits else 0
            text = f"Table {table.name}: {error}"
            raise SendFailed(text, Delivery(unknown=unknown), kind=error.kind, retry_after=error.retry_after) from error


@cache
def table_of(row_format: RowFormat) -> Table:
    """Declare the table of a contract, named after its stream; its key is the contract's."""
    contract = row_format.contract
    columns = [
        TableColumn(
            quoted_name(each.name, quote=True),
            text_type(row_format.key_length, key=True)
            if each.kind == "string" and each.name in contract.key
            else _TYPES[each.kind],
            nullable=not each.required,
            autoincrement=False,
        )
        for each in contract.columns
    ]
    key = PrimaryKeyConstraint(*contract.key, name=f"{contract.stream}_key")
    return Table(contract.stream, MetaData(), *columns, key, quote=True, info={NUMBERS_CHANGES: True})


@cache
def _upsert_text(table: Table) -> str:
    return str(upsert(table).compile(dialect=_SQLITE))


def upsert(table: Table) -> Insert:
    """Compose the statement of SQLite that stores a row in the place of the one whose key is there.

    It replaces that one, for a row that is updated would keep its `rowid`.
    """
    return sqlite.insert(table).prefix_with("OR REPLACE")


class Digits(TypeDecorator[Decimal | str]):
    """A number by the text of its digits: `decimal(38, 18)`; a text in SQLite, whose numbers would lose some."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the database."""
        exact = DECIMAL[Decimal](INTEGER_DIGITS + FRACTION_DIGITS, FRACTION_DIGITS)
        return dialect.type_descriptor(exact if dialect.name == "mssql" else TEXT())

    def process_bind_param(self, value: Decimal | str | None, dialect: Dialect) -> Decimal | str | None:
        """Give what the driver takes."""
        return Decimal(value) if value is not None and dialect.name == "mssql" else value

    def process_result_value(self, value: object, _dialect: Dialect) -> Decimal | None:
        """Read the digits."""
        return None if value is None else Decimal(str(value))


class Merge(Executable, ClauseElement):
    """T-SQL's MERGE of rows into a table by its key, none of which may be in them twice."""

    inherit_cache = False

    def __init__(self, table: Table, rows: Sequence[Row]) -> None:
        self.table, self.rows = table, rows


@compiles(Merge, "mssql")
def _compile_merge(merge: Merge, compiler: SQLCompiler, **_: object) -> str:
    quote = compiler.preparer.quote
    key = [quote(each.name) for each in merge.table.primary_key]
    names = [quote(each.name) for each in merge.table.columns]
    same = " AND ".join(f"target.{name} = source.{name}" for name in key)
    changes = ", ".join(f"{name} = source.{name}" for name in names if name not in key)
    parts = [
        f"MERGE INTO {compiler.preparer.format_table(merge.table)} AS target",
        f"USING (VALUES {_cells(merge, compiler)}) AS source ({', '.join(names)}) ON {same}",
        *([f"WHEN MATCHED THEN UPDATE SET {changes}"] if changes else []),
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(names)})",
        f"VALUES ({', '.join(f'source.{name}' for name in names)});",
    ]
    return " ".join(parts)


def _cells(merge: Merge, compiler: SQLCompiler) -> str:
    """Write the rows; every value is cast, so that SQL Server need not guess its type, of NULL above all."""
    casts = {each: compiler.process(cast(literal_column("{}"), each.type)) for each in merge.table.columns}

    def cell(each: TableColumn[Any], value: Value) -> str:
        return casts[each].format(compiler.process(bindparam(None, value, type_=each.type, unique=True)))

    return ", ".join(f"({', '.join(map(cell, casts, row))})" for row in merge.rows)


def _records(batch: Sequence[_KeyRow]) -> int:
    return sum(records for _, records in batch)


def _grouped(rows: Sequence[Row], row_format: RowFormat) -> list[_KeyRow]:
    keys = list(row_format.keys_of(rows))
    newest = dict(zip(keys, rows, strict=True))
    records = repeat(1) if len(newest) == len(keys) else Counter(keys).values()  # both in the order of the first ones
    return list(zip(newest.values(), records, strict=False))


_TYPES: Final[dict[str, TypeEngine[Any]]] = {
    "string": text_type(None),
    "integer": BigInteger().with_variant(sqlite.INTEGER(), "sqlite"),
    "number": Digits(),
    "boolean": Boolean(),
    "date-time": Instant(),
}
