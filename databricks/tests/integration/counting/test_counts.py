"""Counting by what has changed gives what counting all anew gives, whatever happened to the tables."""

from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from lakehouse.counting.counts import CountedTable, Counting
from lakehouse.lake.tables import CHANGE, Lake, columns, on_columns

SCHEMA = columns("key long, window_id string, size long")
WINDOWS = ("w1", "w2", "w3")

changes = st.lists(
    st.tuples(
        st.sampled_from(["append", "upsert", "delete", "replace"]),
        st.sampled_from(WINDOWS),
        st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True),
    ),
    min_size=1,
    max_size=3,
)


def labelled(rows):
    name = F.when(F.col("key") > 2, "large").otherwise("small")
    one = F.lit(1).cast("long")
    return rows.select(
        "window_id",
        name.alias("name"),
        F.lit(0).alias("attempt"),
        F.col("size").alias("rows"),
        one.alias("events"),
        CHANGE,
    )


def counted(name):
    return CountedTable(f"silver.{name}", "trades", "table", labelled)


@pytest.fixture(scope="module")
def tables(spark):
    tables = Lake(spark)
    tables.create("silver.counted", SCHEMA)
    return tables


def change(tables, how, window, keys):
    rows = tables.spark.createDataFrame([(key, window, key + 1) for key in keys], SCHEMA)
    if how == "append":
        tables.append("silver.counted", rows)
    elif how == "upsert":
        merge = tables.delta("silver.counted").alias("t").merge(rows.dropDuplicates(["key"]).alias("s"), _IN_WINDOW)
        tables.merge("silver.counted", merge.whenMatchedUpdate(set={"size": F.lit(9)}).whenNotMatchedInsertAll())
    elif how == "delete":
        tables.delete("silver.counted", f"window_id = '{window}' AND key < {max(keys)}")
    else:
        tables.replace("silver.counted", rows, f"window_id = '{window}'")


@settings(max_examples=3, phases=[Phase.explicit, Phase.generate])
@given(before=changes, after=changes, asked=st.lists(st.sampled_from(WINDOWS), min_size=1, unique=True))
def test_counts_by_change_equal_counts_of_all(tables, before, after, asked):
    kept = Counting(tables, [counted("counted")])
    for one in before:
        change(tables, *one)
    kept.refresh(asked)
    for one in after:
        change(tables, *one)

    kept.refresh(["w1"])

    anew = Counting(tables, [counted("counted")])
    anew.refresh([*asked, "w1"])
    assert [kept.of(window, "trades") for window in WINDOWS] == [anew.of(window, "trades") for window in WINDOWS]


def test_a_second_look_reads_only_what_came_since(tables):
    read = []
    spied = replace(counted("spied"), of_windows=lambda rows, windows: read.append(tuple(windows)) or rows)
    tables.create("silver.spied", SCHEMA)
    counting = Counting(tables, [spied])
    tables.append("silver.spied", tables.spark.createDataFrame([(0, "w1", 1)], SCHEMA))
    counting.refresh(["w1"])
    change_spied = tables.spark.createDataFrame([(1, "w1", 7), (2, "w2", 9)], SCHEMA)
    tables.append("silver.spied", change_spied)

    counting.refresh(["w1"])
    counting.refresh(["w1", "w2"])

    assert read == [("w1",), ("w2",)]
    assert (counting.of("w1", "trades").gold, counting.of("w2", "trades").gold) == (
        {"table": {"small": 8}},
        {"table": {"small": 9}},
    )


def test_a_table_that_nothing_was_written_to_is_not_read(tables):
    read = []
    blank = replace(counted("blank"), of_windows=lambda rows, windows: read.append(tuple(windows)) or rows)
    tables.create("silver.blank", SCHEMA)

    Counting(tables, [blank]).refresh(["w1"])

    assert read == []


_IN_WINDOW = f"{on_columns(['key'])} AND t.window_id = s.window_id"
