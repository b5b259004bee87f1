"""A SQLite file that Spark publishes to while the app writes to it."""

import sqlite3
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import text

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import RetryPolicy, Timeouts, TransientError
from shared.clients.sql.database import sql_database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sql.db"


@pytest.fixture
def spark(path):
    """A connection as the lakehouse's jobs have it."""
    with closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE published (id INTEGER)")
        yield connection


def database(path):
    patient = RetryPolicy(Timeouts(total=20.0, attempt=10.0))
    return sql_database(f"sqlite:///{path}", FakeIdentity(), retry=patient, makes_file=True)


def write(transaction):
    transaction.lock("rows")
    transaction.execute(text("INSERT INTO published VALUES (1)"))


def test_the_app_writes_while_a_job_reads(path, spark):
    spark.execute("INSERT INTO published VALUES (0)")
    spark.execute("BEGIN")
    before = spark.execute("SELECT COUNT(*) FROM published").fetchone()

    with database(path).transaction(1.0) as transaction:
        write(transaction)

    during = spark.execute("SELECT COUNT(*) FROM published").fetchone()
    spark.execute("COMMIT")
    assert (before, during) == ((1,), (1,))
    assert spark.execute("SELECT COUNT(*) FROM published").fetchone() == (2,)


def test_the_app_leaves_the_journal_as_jobs_want_it(path, spark):
    with database(path).transaction(5.0) as transaction:
        write(transaction)

    assert spark.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_app_waits_while_a_job_publishes(path, spark):
    spark.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, spark.commit)
    release.start()

    with database(path).transaction(10.0) as transaction:
        write(transaction)

    release.join()
    assert spark.execute("SELECT COUNT(*) FROM published").fetchone() == (1,)


def test_the_app_waits_no_longer_than_its_try_may_take(path, spark):
    spark.execute("BEGIN IMMEDIATE")
    began = time.monotonic()

    with pytest.raises(TransientError, match="locked"), database(path).transaction(0.2) as transaction:
        write(transaction)

    spark.execute("ROLLBACK")
    assert time.monotonic() - began < 4.0
