"""Brings a database's tables up to date: missing ones are made, others upgraded where that can be done."""

from collections.abc import Sequence

from lakehouse.sinks import statements
from lakehouse.sinks.ddl import create, create_staging, ddl
from lakehouse.sinks.jdbc import Connection
from lakehouse.sinks.tables import OWN, Dialect, SqlTable, UnfitTable
from lakehouse.sinks.upgrading import COLUMNS, Existing, existing, staging_fits, upgrade


def prepare(sql: Connection, tables: Sequence[SqlTable], dialect: Dialect) -> None:
    """Make or upgrade tables, and empty their staging; raises UnfitTable, which names all that can't be upgraded."""
    everything = (*OWN, *tables)
    for table in everything:
        sql.define(create(table, dialect))
    upgrades = [upgrade(table, _columns(sql, table.name, dialect), dialect) for table in everything]
    faults = [fault for found in upgrades for fault in found.faults]
    if faults:
        raise UnfitTable("\n".join(faults))
    for statement in (statement for found in upgrades for statement in found.statements):
        sql.define(statement)
    for statement in (index for table in everything for index in ddl(table, dialect)[1:]):
        sql.define(statement)
    for table in tables:
        _prepare_staging(sql, table, dialect)


def _prepare_staging(sql: Connection, table: SqlTable, dialect: Dialect) -> None:
    """Make the staging tables anew where they are not as the table is: nothing in them is worth keeping."""
    there = _columns(sql, table.name, dialect)
    for name, columns in ((table.staging, table.names), (table.keys, table.key)):
        fits = staging_fits(_columns(sql, name, dialect), there, columns, dialect)
        for statement in (statements.clear(name),) if fits else create_staging(table, name, columns, dialect):
            sql.define(statement)


def _columns(sql: Connection, name: str, dialect: Dialect) -> tuple[Existing, ...]:
    return existing(sql.rows(COLUMNS[dialect], name))
