"""A table's history, commit by commit, from what real Delta writes down."""

import pytest
from pyspark.sql import types as T

from lakehouse.lake.history import history_of
from lakehouse.lake.tables import Lake, on_columns

NAME = "silver.history"
OPERATIONS = ["OPTIMIZE", "DELETE", "WRITE", "MERGE", "WRITE", "WRITE", "CREATE TABLE"]
SCHEMA = T.StructType().add("id", "long").add("text", "string")


@pytest.fixture(scope="module")
def commits(spark):
    """Make a table, append twice, merge, replace, delete, gather; give its history by operation."""
    lake = Lake(spark)
    spark.sql("DROP TABLE IF EXISTS silver.history")

    def rows(*ids):
        return spark.createDataFrame([(one, f"text {one}") for one in ids], SCHEMA).coalesce(1)

    lake.create(NAME, SCHEMA)
    lake.append(NAME, rows(1, 2, 3))
    lake.append(NAME, rows(4, 5))
    merge = lake.delta(NAME).alias("t").merge(rows(5, 6).alias("s"), on_columns(["id"]))
    lake.merge(NAME, merge.whenMatchedUpdateAll().whenNotMatchedInsertAll())
    lake.replace(NAME, rows(1, 1), "id = 1")
    lake.delete(NAME, "id = 4")
    lake.delta(NAME).optimize().executeCompaction()
    yield history_of(lake, NAME).collect()
    spark.sql("DROP TABLE silver.history")


def test_every_commit_is_listed_the_newest_first(commits):
    assert [row["version"] for row in commits] == [6, 5, 4, 3, 2, 1, 0]
    assert [row["operation"] for row in commits] == OPERATIONS


def test_rows_are_those_that_a_commit_made_new_or_changed(commits):
    assert [row["rows_written"] for row in reversed(commits)] == [0, 3, 2, 2, 2, 0, 0]


def test_files_add_up_to_those_that_the_table_has(commits, spark):
    (detail,) = Lake(spark).delta(NAME).detail().collect()

    assert commits[0]["files"] == detail["numFiles"] == 1
    assert commits[0]["files_removed"] > commits[0]["files_added"] == 1


def test_every_commit_has_its_time(commits):
    times = [row["timestamp"] for row in commits]

    assert times == sorted(times, reverse=True)
