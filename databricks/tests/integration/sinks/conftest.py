"""A SQLite file and the sink that writes to it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse.sinks import jdbc
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.sql import SqlSink

NOW = datetime(2026, 11, 22, 10, 10, 7, 1, UTC)


@dataclass(frozen=True)
class SqliteFile:
    path: Path

    @property
    def jdbc(self):
        return jdbc.database(f"jdbc:sqlite:{self.path}")

    def query(self, statement, *cells):
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, cells).fetchall()


@pytest.fixture
def database(tmp_path):
    return SqliteFile(tmp_path / "sql.db")


@pytest.fixture
def make_sink(spark, database):
    def make(sleep=lambda _seconds: None, waits=()):
        return SqlSink(spark, database.jdbc, length_of, now=lambda: NOW, sleep=sleep, waits=waits)

    return make


@pytest.fixture
def sink(make_sink):
    return make_sink()
