"""What goes wrong between the app and its database: nothing is recorded twice, lost, or waited for without end."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.sql.database import SqlDatabase
from shared.clients.sql.engine import sqlite_engine
from shared.clients.sql.metrics import SqlMetrics
from shared.domain.volumes.measurement import MeasuredTable
from shared.errors import SettingsError, Unavailable
from tests.hostile_tables import HOSTILE_TABLES
from tests.integration.metrics_client.conftest import (
    NOON,
    QUICK,
    TRADES,
    alert_of,
    decides,
    later,
    order_of,
    sql_metrics_at,
)

HASTY = RetryPolicy(Timeouts(total=0.5, attempt=0.3, ordinary=Backoff(0.01, 0.05)))


def measure(metrics, run_id="r1", window="w1", **wishes):
    order = order_of(run_id, window)
    return metrics.measure(order, TRADES, decides(order, **wishes))


def on(engine):
    return SqlMetrics(SqlDatabase("The SQLite database", lambda: engine, QUICK), QUICK, QUICK)


def failing_commits(path, *, comes_through):
    """Give an engine whose first commit that writes fails, before or after it has its effect."""
    engine = sqlite_engine(path)
    commit, failures = engine.dialect.do_commit, [1]

    def do_commit(connection):
        lost = connection.in_transaction and failures and failures.pop()
        if not lost or comes_through:
            commit(connection)
        if lost:
            error = sqlite3.OperationalError("the answer to the commit was lost")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error

    engine.dialect.do_commit = do_commit
    return engine


def test_concurrent_first_calls_make_one_table_and_one_row_each(sqlite_world):
    sqlite_world.add("w1", 30)
    start = threading.Barrier(8)

    def call(number):
        start.wait()
        return measure(sql_metrics_at(sqlite_world.path), f"r{number % 4}", alert=alert_of(f"r{number % 4}"))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(8)))

    assert sorted(repeated for _, repeated in answers) == [False] * 4 + [True] * 4
    assert sqlite_world.run("SELECT entry FROM enrichment_pipeline_metrics ORDER BY entry") == [(1,), (2,), (3,), (4,)]
    assert len(sqlite_world.metrics.due(NOON)) == 4


def test_of_many_takers_at_once_one_gets_the_alert(sqlite_world):
    sqlite_world.metrics.post("trades", lambda past: alert_of())

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: sql_metrics_at(sqlite_world.path).take("trades:r1:alert", NOON), range(16)))

    assert len([alert for alert in taken if alert]) == 1


def test_a_failure_between_insert_and_commit_leaves_nothing_and_the_next_try_records_once(sqlite_world):
    seen = []

    _, repeated = measure(on(failing_commits(sqlite_world.path, comes_through=False)), seen=seen, alert=alert_of())

    assert (repeated, len(seen)) == (False, 2)
    assert len(sqlite_world.metrics.last("trades", 9)) == 1
    assert sqlite_world.metrics.due(NOON) == ["trades:r1:alert"]


def test_a_commit_whose_answer_is_lost_is_found_again_as_this_calls_own(sqlite_world):
    seen = []

    measurement, repeated = measure(on(failing_commits(sqlite_world.path, comes_through=True)), seen=seen)

    assert (repeated, len(seen)) == (False, 1)
    assert sqlite_world.metrics.last("trades", 9) == [measurement]


@pytest.mark.parametrize("comes_through", [True, False])
def test_an_alert_whose_commit_fails_is_posted_once_and_the_callers_own(sqlite_world, comes_through):
    metrics = on(failing_commits(sqlite_world.path, comes_through=comes_through))

    assert metrics.post("trades", lambda past: alert_of()) == alert_of()
    assert metrics.due(NOON) == ["trades:r1:alert"]


def test_a_database_that_another_writes_to_for_a_while_is_waited_for(sqlite_world):
    with closing(sqlite3.connect(sqlite_world.path, check_same_thread=False)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.3, writer.rollback)
        release.start()

        _, repeated = measure(sqlite_world.metrics)

        release.join()
    assert not repeated


def test_a_count_without_end_is_broken_off(sqlite_world):
    sqlite_world.run("DROP TABLE Trades")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'w1' AS window_id FROM n"
    sqlite_world.run(f"CREATE VIEW Trades AS {endless}")
    begun = time.monotonic()

    with pytest.raises(Unavailable, match="interrupted"):
        measure(SqlMetrics(sqlite_world.metrics.database, HASTY, HASTY))

    assert time.monotonic() - begun < 5
    assert sqlite_world.metrics.last("trades", 9) == []


def test_where_no_table_may_be_made_the_error_names_the_administrators_file(sqlite_world):
    def connect():
        return sqlite3.connect(f"file:{sqlite_world.path}?mode=ro", uri=True, isolation_level=None)

    metrics = on(create_engine("sqlite://", creator=connect, poolclass=NullPool))

    with pytest.raises(Unavailable, match=r"readonly.*definitions/sql/enrichment_pipeline_metrics\.sql") as caught:
        measure(metrics)
    assert "tries" not in str(caught.value)


def test_what_is_no_database_is_unavailable_at_once(tmp_path):
    (tmp_path / "sql.db").write_bytes(b"this is no database at all, whatever its name says" * 100)

    with pytest.raises(Unavailable, match="not a database") as caught:
        measure(sql_metrics_at(tmp_path / "sql.db"))
    assert "tries" not in str(caught.value)


def test_a_folder_that_is_missing_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="unable to open"):
        measure(sql_metrics_at(tmp_path / "nowhere" / "sql.db"))


def test_without_the_lakehouses_file_an_alert_is_kept_all_the_same(tmp_path):
    sql_metrics_at(tmp_path / "sql.db").post("trades", lambda past: alert_of(kind="run_failed"))

    assert sql_metrics_at(tmp_path / "sql.db").due(NOON) == ["trades:r1:run_failed"]


def test_without_the_lakehouses_counts_the_error_names_their_table(sqlite_world):
    sqlite_world.run("DROP TABLE window_counts")

    with pytest.raises(Unavailable, match="window_counts"):
        measure(sqlite_world.metrics)


def test_a_table_without_windows_can_be_measured_as_a_whole_alone(sqlite_world):
    sqlite_world.run("DROP TABLE Trades")
    sqlite_world.run("CREATE TABLE Trades (other TEXT)")

    with pytest.raises(Unavailable, match=r"no such column: measured\.window_id"):
        measure(sqlite_world.metrics)
    assert not measure(sqlite_world.metrics, window=None)[1]


@pytest.mark.parametrize("name", HOSTILE_TABLES)
def test_a_hostile_name_never_reaches_the_database(name):
    def dialled():
        raise AssertionError("it was dialled")

    metrics = SqlMetrics(SqlDatabase("No database", dialled), QUICK, QUICK)

    with pytest.raises(SettingsError, match="METRICS_TABLES"):
        metrics.measure(order_of(), MeasuredTable("trades", name, "trades", 1, "x"), decides(order_of()))


@pytest.mark.parametrize("text", ["w' OR '1'='1", 'w"; DROP TABLE Trades; --', "{table}", "w\x00"])
def test_texts_that_are_sql_are_only_texts(sqlite_world, text):
    sqlite_world.add("w1", 3)
    order = order_of(text, text)

    measurement, _ = sqlite_world.metrics.measure(order, TRADES, decides(order))

    assert sqlite_world.metrics.last("trades", 1) == [measurement]
    assert (measurement.order, measurement.rows_count_delta) == (order, 0)


def test_a_lease_outlives_the_sender_that_died(sqlite_world):
    sqlite_world.metrics.post("trades", lambda past: alert_of())
    sqlite_world.metrics.take("trades:r1:alert", NOON)

    survivor = sql_metrics_at(sqlite_world.path)

    assert survivor.take("trades:r1:alert", later(1)) is None
    assert survivor.take("trades:r1:alert", later(2)).attempts == 2
