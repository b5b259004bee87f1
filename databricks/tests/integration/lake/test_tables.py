"""Tables by name: the progress that stands in their commits, their changes by version, and old tables made new."""

from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from lakehouse.lake.naming import Names
from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import CHANGE, Lake, columns, on_columns

SCHEMA = columns("key long, text string")


@pytest.fixture
def tables(spark):
    return Lake(spark)


@pytest.fixture
def table(tables, request):
    name = f"silver.{request.node.name.removeprefix('test_')[:60]}"
    tables.create(name, SCHEMA, ("key",))
    return name


def rows(tables, *keys, text="a"):
    return tables.spark.createDataFrame([(key, text) for key in keys], SCHEMA)


def at(version):
    return Progress({"bronze.x": version})


def changed(changes):
    return sorted((row["key"], row[CHANGE]) for row in changes.rows.collect())


def test_progress_stands_in_every_kind_of_commit_and_another_process_reads_it(tables, table):
    def told(*commits):
        for commit in commits:
            commit()
        return Lake(tables.spark).progress(table)

    merge = tables.delta(table).alias("t").merge(rows(tables, 1, text="b").alias("s"), on_columns(["key"]))

    assert Lake(tables.spark).progress(table) is None
    assert told(lambda: tables.append(table, rows(tables, 1, 2), at(1))) == at(1)
    assert told(lambda: tables.merge(table, merge.whenMatchedUpdateAll(), at(2))) == at(2)
    assert told(lambda: tables.replace(table, rows(tables, 2, text="c"), "key = 2", at(3))) == at(3)
    assert told(lambda: tables.delete(table, "key = 1", at(4))) == at(4)
    assert told(lambda: tables.overwrite(table, rows(tables, 5), at(5))) == at(5)


def test_progress_survives_commits_that_say_nothing_of_it(tables, table):
    tables.append(table, rows(tables, 1), at(7))

    for _ in range(25):
        tables.spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('x' = 'y')")
    tables.compact(table, kept=_WEEK)

    assert Lake(tables.spark).progress(table) == at(7)


def test_progress_without_rows_is_noted_once_asked_to(tables, table):
    tables.append(table, rows(tables, 1), at(1))
    tables.advance(table, at(9))
    before = Lake(tables.spark).progress(table)

    tables.note_all()
    noted = tables.version(table)
    tables.note_all()

    assert (before, Lake(tables.spark).progress(table)) == (at(1), at(9))
    assert Lake(tables.spark).version(table) == noted


def test_a_table_is_blank_until_its_maker_writes_to_it_and_to_no_other_process(tables, table):
    made, of_another = tables.is_blank(table), Lake(tables.spark).is_blank(table)
    version = tables.version(table)

    tables.append(table, rows(tables, 1))

    assert (made, of_another, tables.is_blank(table)) == (True, False, False)
    assert (version, tables.version(table)) == (0, 1)


def test_a_write_that_fails_makes_no_progress(tables, table):
    with pytest.raises(Exception, match=r"(?i)schema|column"):
        tables.append(table, tables.spark.range(1).select(F.lit("x").alias("other")), at(3))

    assert tables.progress(table) is None
    assert Lake(tables.spark).progress(table) is None


def test_the_changes_of_a_span_are_just_those(tables, table):
    tables.append(table, rows(tables, 1, 2))
    first = tables.version(table)
    tables.append(table, rows(tables, 3))
    tables.delete(table, "key = 1")

    assert changed(tables.changes(table, first)) == [(1, "delete"), (3, "insert")]
    assert changed(tables.changes(table, first, first + 1)) == [(3, "insert")]
    assert changed(tables.changes(table, tables.version(table))) == []


def test_all_that_a_table_has_comes_as_inserts_where_it_is_read_for_the_first_time(tables, table):
    tables.append(table, rows(tables, 1, 2))
    tables.delete(table, "key = 1")

    found = tables.changes(table, None)

    assert (found.whole, found.to, changed(found)) == (True, tables.version(table), [(2, "insert")])


def test_a_value_is_replaced_without_a_look_into_files_where_the_table_is_partitioned_by_it(tables):
    name = "silver.partitioned"
    tables.create(name, SCHEMA, ("text",), partitioned_by="key")
    tables.append(name, rows(tables, 1, 2))
    before = tables.version(name)

    tables.replace(name, rows(tables, 2, text="b"), "`key` IN (2)")

    kept = {path.name for path in Path(tables.delta(name).detail().first()["location"].removeprefix("file:")).iterdir()}
    assert changed(tables.changes(name, before)) == [(2, "delete"), (2, "insert")]
    assert sorted(map(tuple, tables.read(name).collect())) == [(1, "a"), (2, "b")]
    assert kept == {"_delta_log", "key=1", "key=2"}  # of a table without partitions rows that go are written down


def test_a_table_of_a_former_lakehouse_gets_the_columns_and_the_change_feed_that_it_lacks(tables, spark):
    spark.sql("CREATE TABLE silver.former (key long) USING DELTA")
    spark.sql("INSERT INTO silver.former VALUES (1)")
    before = Lake(spark).version("silver.former")

    tables.create("silver.former", SCHEMA, ("key",))
    anew = Lake(spark)
    since = anew.changes("silver.former", before - 1)
    told = changed(since)
    upgraded = anew.version("silver.former")
    anew.append("silver.former", rows(anew, 2))

    assert anew.read("silver.former").columns == ["key", "text"]
    assert (since.whole, told) == (True, [(1, "insert")])
    assert changed(anew.changes("silver.former", upgraded)) == [(2, "insert")]


def test_creating_a_table_that_is_as_it_should_be_changes_nothing(tables, table):
    before = Lake(tables.spark).version(table)

    Lake(tables.spark).create(table, SCHEMA, ("key",))

    assert Lake(tables.spark).version(table) == before


def test_two_developers_have_their_own_schemas(spark, tmp_path):
    ann, bob = Lake(spark, Names(schema_prefix="ann_")), Lake(spark, Names(schema_prefix="bob_"))
    for one, who in ((ann, "ann"), (bob, "bob")):
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {one.names.schema('gold')} LOCATION '{(tmp_path / who).as_uri()}'")
        one.create("gold.own", SCHEMA)
    ann.append("gold.own", rows(ann, 1))

    assert (ann.read("gold.own").count(), bob.read("gold.own").count()) == (1, 0)
    assert ann.tables("gold") == ["gold.own"]


def test_a_catalog_stands_before_the_schema():
    assert Names("main", "ann_").table("silver.trades") == "`main`.`ann_silver`.`trades`"
    assert Names().table("silver.trades") == "`silver`.`trades`"


_WEEK = timedelta(days=7)
