"""The engine of gold tables: what it writes, what it leaves alone, and what it does after a kill."""

import gc
from datetime import date
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from gold_stage import FIRST, SECOND, record
from gold_tables import buckets, days, first_places, groups, pairs, per_row, stores
from lakehouse.lookups import parse_lookup_contract

DAY = 24 * 60


def parquet(columns):
    sink = BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


class Killed(Exception):
    """The process ended here."""


def commits(stage, table):
    return [row["operation"] for row in stage.versions(table)]


def test_new_rows_are_appended(stage):
    stream = stage.stream("s")
    table = stage.named(per_row(stream))
    gold = stage.gold(table)
    stage.put(stream, record(1))
    gold.run_pass(FIRST)

    stage.put(stream, record(2))
    touched = gold.run_pass(FIRST)

    assert commits(stage, table) == ["WRITE", "WRITE"]
    assert [name for _, name in stage.target.writes] == ["NewRows", "NewRows"]
    assert touched == {FIRST}


def test_where_nothing_is_to_be_done_nothing_is_written_and_the_progress_is_noted_at_the_end(stage):
    stream = stage.stream("s")
    table = stage.named(per_row(stream))
    gold = stage.gold(table)
    stage.put(stream, record(1))
    gold.run_pass(FIRST)
    stage.put(stream, record(2, kind="b"))

    gold.run_pass(FIRST)
    quiet = gold.run_pass(FIRST)
    written = commits(stage, table)
    gold.note()

    assert (quiet, written) == (frozenset(), ["WRITE"])
    restarted = stage.gold(table)
    assert restarted.lake.progress(table.lake_name).versions == {
        f"silver.{stream}": restarted.lake.version(f"silver.{stream}")
    }
    assert restarted.run_pass(FIRST) == frozenset()
    assert len(stage.target.writes) == 1


def test_after_a_kill_between_delta_and_target_the_target_alone_is_brought_up(stage):
    stream = stage.stream("s")
    table = stage.named(per_row(stream))
    gold = stage.gold(table)
    stage.put(stream, record(1), record(2))
    gold.run_pass(FIRST)
    stage.put(stream, record(2, amount=5, window=SECOND), record(3), gone=[1])
    stage.target.fails = Killed()
    with pytest.raises(Killed):
        gold.run_pass(FIRST)
    before = commits(stage, table)

    touched = stage.gold(table).run_pass(FIRST)

    assert commits(stage, table) == before
    assert stage.published(table) == stage.rows(table) == stage.built(table)
    assert touched == {FIRST, SECOND}
    assert stage.target.writes == [(table.name, "NewRows"), (table.name, "RowsOfKeys")]


def test_a_table_of_a_table_takes_its_changes_once_and_a_quiet_run_writes_nothing(stage):
    stream = stage.stream("s")
    places = stage.named(groups(stream))
    firsts = stage.named(first_places(places.name))
    gold = stage.gold(firsts, places)
    stage.put(stream, record(1, 5), record(2, 6, kind="b"))
    gold.run_pass(FIRST)
    stage.put(stream, record(3, 4, window=SECOND))
    stage.target.fails = Killed()
    with pytest.raises(Killed):
        gold.run_pass(SECOND)

    resumed = stage.gold(firsts, places)
    touched = resumed.run_pass(SECOND)
    resumed.note()
    versions = {table.name: resumed.lake.version(table.lake_name) for table in (places, firsts)}
    quiet = stage.gold(firsts, places)
    came = quiet.run_pass(SECOND)
    quiet.note()

    assert stage.rows(firsts) == stage.built(firsts) == stage.published(firsts) == [(2, "b"), (3, "a")]
    assert (commits(stage, places), commits(stage, firsts)) == (["WRITE", "MERGE"], ["WRITE", "MERGE"])
    assert (touched, came) == ({FIRST, SECOND}, frozenset())
    assert {table.name: quiet.lake.version(table.lake_name) for table in (places, firsts)} == versions


def test_a_table_follows_one_that_was_made_anew_from_its_first_version_on(stage):
    stream = stage.stream("s")
    places = stage.named(groups(stream))
    firsts = stage.named(first_places(places.name))
    for minute in range(3):
        gold = stage.gold(firsts, places)
        stage.put(stream, record(9 - minute, 9 - minute))
        gold.run_pass(FIRST)
    stage.spark.sql(f"DROP TABLE {places.lake_name}")
    stage.put(stream, record(1, 1))

    stage.gold(firsts, places).run_pass(FIRST)

    assert stage.rows(firsts) == stage.built(firsts) == [(1, "a")]


def test_a_table_whose_progress_is_lost_is_compared_with_all_of_silver(stage):
    stream = stage.stream("s")
    table = stage.named(per_row(stream))
    gold = stage.gold(table)
    stage.put(stream, record(1), record(2))
    gold.lake.append(
        table.lake_name,
        stage.lake.read(f"silver.{stream}").selectExpr(
            "id + 10 AS number", "7L AS doubled", "at AS moment", "window_id"
        ),
    )

    stage.gold(table).run_pass(FIRST)

    assert stage.rows(table) == stage.built(table)


def test_a_rerun_makes_a_windows_rows_right_whatever_became_of_them(stage):
    stream = stage.stream("s")
    table = stage.named(per_row(stream))
    gold = stage.gold(table)
    stage.put(stream, record(1), record(2), record(3, window=SECOND))
    gold.run_pass(SECOND)
    right = stage.rows(table)
    gold.lake.delete(table.lake_name, "number = 1")
    stage.lake.delta(table.lake_name).update("number = 2", {"number": F.lit(9)})

    restarted = stage.gold(table)
    restarted.rerun(FIRST)

    assert stage.rows(table) == stage.published(table) == right


def test_a_rerun_makes_tables_without_windows_anew(stage):
    stream = stage.stream("s")
    table = stage.named(buckets(stream))
    gold = stage.gold(table)
    stage.put(stream, record(1), record(2, 30))
    gold.run_pass(FIRST)
    right = stage.rows(table)
    stage.lake.delta(table.lake_name).update("minute(bucket) = 30", {"bucket": F.expr("bucket + INTERVAL 3 HOURS")})

    stage.gold(table).rerun(FIRST)

    assert stage.rows(table) == right == stage.published(table)


def test_a_days_rebuild_touches_its_days_files_alone(stage):
    stream = stage.stream("s")
    table = stage.named(days(stream, "UTC"))
    gold = stage.gold(table)
    stage.put(stream, *[record(day, day * DAY) for day in range(4)], record(9, 2 * DAY, kind="b"))
    gold.run_pass(FIRST)
    before = stage.files(table)

    stage.put(stream, record(5, 2 * DAY + 5))
    gold.run_pass(FIRST)

    after = stage.files(table)
    touched = [date(2026, 11, 24)]
    assert sorted(before.values()) == [[date(2026, 11, day)] for day in (22, 23, 24, 25)]
    assert [values for path, values in before.items() if path not in after] == [touched]
    assert [values for path, values in after.items() if path not in before] == [touched]
    metrics = stage.versions(table)[-1]["operationMetrics"]
    assert (metrics["numRemovedFiles"], metrics["numFiles"], metrics["numDeletedRows"]) == ("1", "1", "2")
    assert stage.rows(table) == stage.built(table)


def test_a_row_near_midnight_touches_the_day_that_looks_at_it_too(stage):
    stream = stage.stream("s")
    table = stage.named(days(stream, "UTC"))
    gold = stage.gold(table)
    stage.put(stream, record(1, 0), record(2, 60), record(3, 3 * DAY))
    gold.run_pass(FIRST)

    stage.put(stream, record(4, 32))
    gold.run_pass(FIRST)

    assert stage.rows(table) == stage.built(table)


def test_a_buckets_recount_touches_its_files_alone(stage):
    stream = stage.stream("s")
    table = stage.named(buckets(stream))
    gold = stage.gold(table)
    stage.put(stream, *[record(number, 5 * number) for number in range(5)])
    gold.run_pass(FIRST)
    before = stage.files(table)

    stage.put(stream, record(7, 11))
    gold.run_pass(FIRST)

    after = stage.files(table)
    gone = [values for path, values in before.items() if path not in after]
    came = [values for path, values in after.items() if path not in before]
    assert gone == came
    assert [len(values) for values in came] == [1]
    assert stage.rows(table) == stage.built(table)


def test_a_merge_reads_no_files_of_other_times(stage):
    stream = stage.stream("s")
    table = stage.named(per_row(stream))
    gold = stage.gold(table)
    for number in range(3):
        stage.put(stream, record(number, number * DAY), record(10 - number, number * DAY))
        gold.run_pass(FIRST)
    for path, numbers in stage.files(table).items():
        if not {1, 9} & set(numbers):
            Path(unquote(urlsplit(path).path)).unlink()

    stage.put(stream, record(1, DAY, amount=9))
    gold.run_pass(FIRST)

    of_the_day = stage.lake.read(table.lake_name).where("moment BETWEEN '2026-11-23' AND '2026-11-24'")
    found = of_the_day.select("number", "doubled").collect()
    assert sorted(map(tuple, found)) == [(1, 18), (9, 2)]


def test_new_rows_of_both_sides_are_pairs_to_append_and_those_of_a_changed_row_are_merged(stage):
    left, right = stage.stream("l"), stage.stream("r")
    table = stage.named(pairs(left, right))
    gold = stage.gold(table)
    stage.put(left, record(1, 0))
    gold.run_pass(FIRST)
    stage.put(left, record(2, 3))
    stage.put(right, record(1, 5))
    gold.run_pass(FIRST)
    stage.put(right, record(1, 12))
    gold.run_pass(FIRST)

    assert commits(stage, table) == ["WRITE", "MERGE"]
    assert stage.rows(table) == stage.built(table) != []
    assert [row[:2] for row in stage.rows(table)] == [(2, 1)]


def test_a_snapshot_of_a_lookup_is_that_of_the_newest_window(stage):
    contract = {"x-key": ["store"], "properties": {"store": {}, "city": {}}}
    stage.contracts = {"stores": parse_lookup_contract("stores", contract)}
    table = stage.named(stores("stores"))
    stage.store.documents["f/" + FIRST] = parquet({"store": ["a", "b"], "city": ["Bern", "Genf"]})
    stage.store.documents["f/" + SECOND] = parquet({"store": ["b", "c"], "city": ["Biel", "Chur"]})

    for window in (FIRST, SECOND, SECOND, FIRST):
        gold = stage.gold(table, paths={"stores": f"f/{window}"})
        gold.run_pass(window)
        gold.note()
    gold.rerun(FIRST)

    assert stage.rows(table) == stage.published(table) == [("b", "Biel"), ("c", "Chur")]
    assert commits(stage, table) == ["WRITE", "MERGE"]


def test_memory_that_a_pass_took_is_given_back(stage):
    stream = stage.stream("s")
    table = stage.named(per_row(stream))
    gold = stage.gold(table)
    stage.put(stream, record(1))
    gold.run_pass(FIRST)
    before = _persisted(stage.spark)

    for number in range(3):
        stage.put(stream, record(2 + number), record(1, amount=number))
        gold.run_pass(FIRST)

    assert _left_behind(stage.spark, before) == set()


def _left_behind(spark, before):
    """Give what is kept beyond `before` when nothing refers to it: Spark cleans beside, after the collectors."""
    for _ in range(100):
        gc.collect()
        spark._jvm.java.lang.System.gc()
        left = _persisted(spark) - before
        if not left:
            break
    return left


def _persisted(spark):
    """Give the ids of persisted RDDs but for those of Delta, which keeps the state of each table it has read."""
    kept = dict(spark.sparkContext._jsc.getPersistentRDDs())
    return {number for number, rdd in kept.items() if not str(rdd.name()).startswith("Delta Table State")}
