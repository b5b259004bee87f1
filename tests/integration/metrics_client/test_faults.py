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
from shared.clients.sql.metrics import SqlMetrics
from shared.errors import Unavailable
from tests.integration.metrics_client.conftest import (
    NOON,
    QUICK,
    alert_of,
    decides,
    later,
    measure,
    post,
    request_of,
    sql_metrics_at,
)

HASTY = RetryPolicy(Timeouts(total=0.5, attempt=0.3, ordinary=Backoff(0.01, 0.05)))


def measured(metrics, run_id="r1", window="w1", **wishes):
    request = request_of(run_id, window)
    return measure(metrics, request, decides(request, **wishes))


def on(engine):
    return SqlMetrics(SqlDatabase("The SQLite database", lambda: engine, QUICK), QUICK, QUICK)


def test_concurrent_first_calls_make_one_table_and_one_row_each(sqlite_world):
    sqlite_world.add("w1", 30)
    start = threading.Barrier(8)

    def call(number):
        start.wait()
        return measured(sql_metrics_at(sqlite_world.path), f"r{number % 4}", alert=alert_of(f"r{number % 4}"))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(8)))

    assert sorted(repeated for _, repeated in answers) == [False] * 4 + [True] * 4
    assert sqlite_world.run("SELECT entry FROM enrichment_pipeline_metrics ORDER BY entry") == [(1,), (2,), (3,), (4,)]
    assert len(sqlite_world.metrics.due(NOON)) == 4


def test_of_many_takers_at_once_one_gets_the_alert(sqlite_world):
    post(sqlite_world.metrics, lambda past: alert_of())

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: sql_metrics_at(sqlite_world.path).take("trades:r1:alert", NOON), range(16)))

    assert len([alert for alert in taken if alert]) == 1


def test_a_database_that_another_writes_to_for_a_while_is_waited_for(sqlite_world):
    with closing(sqlite3.connect(sqlite_world.path, check_same_thread=False)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.3, writer.rollback)
        release.start()

        _, repeated = measured(sqlite_world.metrics)

        release.join()
    assert not repeated


def test_a_count_without_end_is_broken_off(sqlite_world):
    sqlite_world.run("DROP TABLE Trades")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'w1' AS window_id FROM n"
    sqlite_world.run(f"CREATE VIEW Trades AS {endless}")
    begun = time.monotonic()

    with pytest.raises(Unavailable, match="interrupted"):
        measured(SqlMetrics(sqlite_world.metrics.database, HASTY, HASTY))

    assert time.monotonic() - begun < 30
    assert sqlite_world.metrics.last("trades", 9) == []


def test_where_no_table_may_be_made_the_error_names_the_administrators_file(sqlite_world):
    def connect():
        return sqlite3.connect(f"file:{sqlite_world.path}?mode=ro", uri=True, isolation_level=None)

    metrics = on(create_engine("sqlite://", creator=connect, poolclass=NullPool))

    with pytest.raises(Unavailable, match=r"readonly.*definitions/sql/enrichment_pipeline_metrics\.sql") as caught:
        measured(metrics)
    assert "tries" not in str(caught.value)


def test_what_is_no_database_is_unavailable_at_once(tmp_path):
    (tmp_path / "sql.db").write_bytes(b"this is no database at all, whatever its name says" * 100)

    with pytest.raises(Unavailable, match="not a database") as caught:
        measured(sql_metrics_at(tmp_path / "sql.db"))
    assert "tries" not in str(caught.value)


def test_a_folder_that_is_missing_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="unable to open"):
        measured(sql_metrics_at(tmp_path / "nowhere" / "sql.db"))


def test_without_the_lakehouses_file_an_alert_is_kept_all_the_same(tmp_path):
    post(sql_metrics_at(tmp_path / "sql.db"), lambda past: alert_of(kind="run_failed"))

    assert sql_metrics_at(tmp_path / "sql.db").due(NOON) == ["trades:r1:run_failed"]


def test_without_the_lakehouses_counts_the_error_names_their_table(sqlite_world):
    sqlite_world.run("DROP TABLE window_counts")

    with pytest.raises(Unavailable, match="window_counts"):
        measured(sqlite_world.metrics)


def test_a_table_without_windows_can_be_measured_as_a_whole_alone(sqlite_world):
    sqlite_world.run("DROP TABLE Trades")
    sqlite_world.run("CREATE TABLE Trades (other TEXT)")

    with pytest.raises(Unavailable, match=r"no such column: measured\.window_id"):
        measured(sqlite_world.metrics)
    assert not measured(sqlite_world.metrics, window=None)[1]


@pytest.mark.parametrize("text", ["w' OR '1'='1", 'w"; DROP TABLE Trades; --', "{table}", "w\x00"])
def test_texts_that_are_sql_are_only_texts(sqlite_world, text):
    sqlite_world.add("w1", 3)
    request = request_of(text, text)

    measurement, _ = measure(sqlite_world.metrics, request, decides(request))

    assert sqlite_world.metrics.last("trades", 1) == [measurement]
    assert (measurement.request, measurement.rows_count_delta) == (request, 0)


def test_a_lease_outlives_the_sender_that_died(sqlite_world):
    post(sqlite_world.metrics, lambda past: alert_of())
    sqlite_world.metrics.take("trades:r1:alert", NOON)

    survivor = sql_metrics_at(sqlite_world.path)

    assert survivor.take("trades:r1:alert", later(1)) is None
    assert survivor.take("trades:r1:alert", later(2)).attempts == 2
