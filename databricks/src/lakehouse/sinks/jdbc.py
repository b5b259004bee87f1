"""Speaks to a SQL database through the JDBC driver that Spark already has, for statements that belong to the driver.

The way there is `spark.sparkContext`: it needs a classic session, in Databricks a cluster in dedicated access mode.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from lakehouse.sinks.tables import Dialect

type Cell = str | int | None


class UnknownDatabase(ValueError):
    """A JDBC URL of a database that there are no statements for."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database and how it is reached. properties: of the driver, asked anew for each connection: tokens expire."""

    url: str
    dialect: Dialect
    driver: str
    properties: Callable[[], Mapping[str, str]]

    def options(self, table: str) -> dict[str, str]:
        """Give the options of Spark's JDBC writer; SQLite takes one writer at a time, SQL Server rows in bulk."""
        own = {"numPartitions": "1"} if self.dialect == "sqlite" else {"useBulkCopyForBatchInsert": "true"}
        base = {"url": self.url, "driver": self.driver, "dbtable": table, "batchsize": "10000"}
        return {**base, **own, **self.properties()}


class Connection:
    """A transaction's view of a JDBC connection."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - a Java object
        self._connection = connection

    def execute(self, statement: str, *cells: Cell) -> int:
        """Run a statement; gives the number of rows it changed."""
        prepared = self._prepared(statement, cells)
        try:
            return int(prepared.executeUpdate())
        finally:
            prepared.close()

    def define(self, statement: str) -> None:
        """Run a statement that makes or alters a table: SQLite answers some of them with rows."""
        prepared = self._prepared(statement, ())
        try:
            prepared.execute()
        finally:
            prepared.close()

    def execute_many(self, statement: str, rows: list[tuple[Cell, ...]]) -> None:
        """Run a statement once a row, in one go."""
        prepared = self._prepared(statement, ())
        try:
            for row in rows:
                _bind(prepared, row)
                prepared.addBatch()
            prepared.executeBatch()
        finally:
            prepared.close()

    def rows(self, statement: str, *cells: Cell) -> list[tuple[Any, ...]]:
        """Run a query; gives its rows."""
        prepared = self._prepared(statement, cells)
        try:
            return list(_rows(prepared.executeQuery()))
        finally:
            prepared.close()

    def _prepared(self, statement: str, cells: tuple[Cell, ...]) -> Any:  # noqa: ANN401 - a Java object
        prepared = self._connection.prepareStatement(statement)
        _bind(prepared, cells)
        return prepared


def database(url: str, token: Callable[[], str] | None = None) -> Database:
    """Tell the dialect from a JDBC URL; raises UnknownDatabase. token: gives an Entra token for each connection."""
    if url.startswith("jdbc:sqlite:"):
        return Database(url, "sqlite", "org.sqlite.JDBC", lambda: {"busy_timeout": "30000", "journal_mode": "WAL"})
    if url.startswith("jdbc:sqlserver:"):
        driver = "com.microsoft.sqlserver.jdbc.SQLServerDriver"
        return Database(url, "tsql", driver, lambda: {"accessToken": token()} if token else {})
    raise UnknownDatabase(f"{url.partition(';')[0]!r}: the statements are for jdbc:sqlserver: and jdbc:sqlite: only.")


@contextmanager
def transaction(spark: SparkSession, target: Database) -> Iterator[Connection]:
    """Open a connection for one transaction: committed at the end, rolled back where anything is raised."""
    connection = _connect(spark, target)
    try:
        connection.setAutoCommit(False)
        yield Connection(connection)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


def _connect(spark: SparkSession, target: Database) -> Any:  # noqa: ANN401 - a Java object
    jvm: Any = spark.sparkContext._jvm  # noqa: SLF001 - the one way to the drivers that Spark loaded
    properties = jvm.java.util.Properties()
    for name, value in target.properties().items():
        properties.setProperty(name, value)
    jvm.org.apache.spark.sql.execution.datasources.jdbc.DriverRegistry.register(target.driver)
    return jvm.java.sql.DriverManager.getConnection(target.url, properties)


def _bind(prepared: Any, cells: tuple[Cell, ...]) -> None:  # noqa: ANN401 - a Java object
    for place, cell in enumerate(cells, start=1):
        prepared.setObject(place, cell)


def _rows(found: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - a Java object
    width = found.getMetaData().getColumnCount()
    while found.next():
        yield tuple(found.getObject(place) for place in range(1, width + 1))
