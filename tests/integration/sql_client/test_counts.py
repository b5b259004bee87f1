"""The contract of counts: what holds for a SQLite file must hold for the fake."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.sql.counts import SqlCounts
from shared.clients.sql.database import sql_database
from shared.clients.sql.fake import FakeCounts
from shared.clients.sql.tables import WINDOW_COUNTS
from shared.errors import Unavailable

QUICK = RetryPolicy(Timeouts(total=1.0, attempt=1.0, ordinary=Backoff(0.02, 0.1)))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROWS = [
    ("trades-1", "trades", "bronze", "records", 30),
    ("trades-1", "trades", "silver", "new", 28),
    ("trades-1", "calls", "silver", "new", 3_000_000_000),
    ("trades-2", "trades", "silver", "new", 1),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a b" / "sql.db"


def counts_in(path, retry=QUICK):
    return SqlCounts(sql_database(f"sqlite:///{path}", FakeIdentity(), retry=retry))


def write(path, rows):
    path.parent.mkdir(exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    WINDOW_COUNTS.metadata.create_all(engine)
    with engine.begin() as connection:
        names = ("window_id", "stream", "stage", "name", "rows")
        for row in rows:
            connection.execute(WINDOW_COUNTS.insert(), dict(zip(names, row, strict=True)) | {"updated_at": NOON})
    engine.dispose()


def fake_of(rows):
    windows = {}
    for window, stream, stage, name, count in rows:
        windows.setdefault(window, {}).setdefault(stream, {})[f"{stage}/{name}"] = count
    return FakeCounts(windows)


@pytest.fixture(params=["fake", "sqlite"])
def counts(request, path):
    if request.param == "fake":
        return fake_of(ROWS)
    write(path, ROWS)
    return counts_in(path)


def test_a_windows_counts_are_by_stream_then_by_stage_and_name(counts):
    assert counts.of_window("trades-1") == {
        "trades": {"bronze/records": 30, "silver/new": 28},
        "calls": {"silver/new": 3_000_000_000},
    }


@pytest.mark.parametrize("window_id", ["trades-3", "", "' OR 1=1 --"])
def test_a_window_that_nothing_was_written_of_is_empty(counts, window_id):
    assert counts.of_window(window_id) == {}


@pytest.mark.parametrize("made", ["nothing", "folder", "file"])
def test_without_a_table_there_are_no_counts_yet_and_no_file_is_made(path, made):
    if made != "nothing":
        path.parent.mkdir()
    if made == "file":
        sqlite3.connect(path).close()
    there = path.exists()

    assert counts_in(path).of_window("trades-1") is None
    assert path.exists() == there


def test_counts_written_after_the_first_look_are_seen(path):
    counts = counts_in(path)
    assert counts.of_window("trades-1") is None

    write(path, ROWS)

    assert counts.of_window("trades-2") == {"trades": {"silver/new": 1}}


def test_what_is_no_database_is_unavailable(path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all, whatever its name says" * 100)

    with pytest.raises(Unavailable, match="not a database"):
        counts_in(path).of_window("trades-1")


def test_a_table_of_another_shape_is_unavailable(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE window_counts (other TEXT)")

    with pytest.raises(Unavailable, match="no such column"):
        counts_in(path).of_window("trades-1")


def test_a_database_that_is_locked_for_a_while_is_waited_for(path):
    write(path, ROWS)
    patient = RetryPolicy(Timeouts(total=20.0, attempt=6.0))
    with closing(sqlite3.connect(path, check_same_thread=False)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.3, writer.rollback)
        release.start()

        found = counts_in(path, patient).of_window("trades-2")

        release.join()
    assert found == {"trades": {"silver/new": 1}}


def test_counts_are_read_while_a_writer_in_wal_mode_writes(path):
    write(path, ROWS)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("DELETE FROM window_counts")

        assert counts_in(path).of_window("trades-2") == {"trades": {"silver/new": 1}}


def test_many_threads_read_at_once(path):

    write(path, ROWS)
    counts = counts_in(path)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: counts.of_window("trades-2"), range(40)))

    assert found == [{"trades": {"silver/new": 1}}] * 40
