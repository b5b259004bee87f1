"""The web shop's chain: whatever the order of records, runs and lookups, each table has the rows it must have."""

import json
from datetime import datetime
from decimal import Decimal

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from job_house import row
from lakehouse.building import lookups_of
from lakehouse.lookups import Lookups
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.shop import PIPELINE
from lakehouse.pipelines.targets.fake import FakeTarget
from lakehouse.streams.contract import load_contracts
from lakehouse.streams.silver_tables import columns_of
from shop_records import STREAMS, drawn, example, lookup, written

WINDOW = "shop-20261122T100000Z"
TABLES = {table.name: table for table in PIPELINE.tables}
TO_HUBS = ("pageviews", "stars")
OF_FILE = {"pageviews_high_latency_enriched": "pageviews_high_latency"}
"""The table whose name the expected rows do not have."""


def chain(house, edition, *streams):
    request = house.request(*streams, feed="shop", window_id=WINDOW, lookups=paths(edition))
    made = house.chain(request)
    made.prepare()
    return made


def paths(edition):
    return {name: f"{name}/{edition}.parquet" for name in ("users", "vip_users")}


def give(house, edition, **lookups):
    """Put lookups into the store."""
    for name, rows in lookups.items():
        house.reference.documents[f"{name}/{edition}.parquet"] = lookup(name, rows)


def send(house, stream, records):
    properties = {"contract": f"{stream}/1", "slice": f"{WINDOW}/0.1"}
    house.send(*[row(record, properties=properties) for record in records], stream=stream)


def held(house, name, columns):
    """Give a table's rows as the expected ones are written."""
    there = house.lake.read(TABLES[name].lake_name)
    found = there.select(*[_text(there.schema[column]) for column in columns]).collect()
    return [{column: written(value) for column, value in zip(columns, one, strict=True)} for one in found]


def _text(column):
    if not isinstance(column.dataType, T.TimestampType):
        return F.col(column.name)
    pattern = "yyyy-MM-dd'T'HH:mm:ss'Z'" if column.name == "window_start" else "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"
    return F.date_format(column.name, pattern)


def in_order(rows, name):
    return sorted(rows, key=lambda one: [one[key] for key in TABLES[name].key])


def assert_as_expected(house, expected):
    for name, table in TABLES.items():
        own = {column.name for column in table.columns}
        wanted = [{key: one[key] for key in one if key in own} for one in expected[OF_FILE.get(name, name)]]
        assert in_order(held(house, name, list(wanted[0])), name) == in_order(wanted, name), name


@pytest.mark.timeout(900)
def test_each_table_is_as_the_example_says_however_records_and_lookups_came(house):
    given = example()
    early, late = given["pageviews"][1::2], given["pageviews"][::2][::-1]
    give(house, "old", users=given["users"][1:], vip_users=[])
    give(house, "new", users=given["users"], vip_users=given["vip_users"])
    send(house, "pageviews", early)
    send(house, "stars", [*given["stars"][3:], *({**given["stars"][0], "stars": number} for number in (0, 6))])

    run = chain(house, "old", *TO_HUBS)
    run.run_pass()
    run.finish()
    without_orders = held(house, "engagements", ["user_id", "orders", "total_orders_value", "avg_order_value"])
    counted_first = by_whether_known(house)
    for stream, records in (("pageviews", late), ("stars", given["stars"][:4])):
        send(house, stream, records)
    for stream in ("items", "orders"):
        send(house, stream, given[stream][::-1])
    run = chain(house, "new", *STREAMS)
    run.run_pass()
    kept = names_by_view(house)
    run.gold.rerun(WINDOW)
    run.finish()

    assert {tuple(one.values()) for one in without_orders} == {
        (one["user_id"], 0, "0.00", None) for one in (*early, *given["stars"][3:])
    }
    assert [reason for (reason,) in house.rows("silver.stars_quarantine", "reason")] == [
        "stars: above 5",
        "stars: below 1",
    ]
    assert counted_first == {"false": 4}
    assert kept == {"2": None, "4": None, "6": None, "10": None}
    assert by_whether_known(house) == {"false": 1, "true": 3}
    assert_as_expected(house, given["expected"])
    for table in TABLES.values():
        assert house.sql(f"SELECT count(*) FROM {table.sql}") == [(house.lake.read(table.lake_name).count(),)]


def by_whether_known(house):
    """Give how many slow views of the window are of a user whom the lookup knew, and how many are not."""
    mark = "pageviews_high_latency_enriched/"
    found = house.counts(WINDOW, "pageviews")
    return {name.partition(mark)[2]: rows for name, rows in found.items() if mark in name}


def names_by_view(house):
    found = held(house, "pageviews_high_latency_enriched", ["view_id", "user_name"])
    return {one["view_id"].partition("-")[0].lstrip("0"): one["user_name"] for one in found}


@pytest.mark.timeout(900)
def test_each_table_of_a_drawn_window_equals_the_truth_of_what_was_drawn(house, tmp_path):
    truth = drawn(tmp_path)
    give(house, "one", **{name: list(map(json.loads, truth["lines"][name])) for name in ("users", "vip_users")})
    target = FakeTarget()
    lookups = Lookups(house.spark, house.reference, paths("one"), lookups_of(PIPELINE))
    gold = Gold(house.lake, PIPELINE, lookups, [target])
    for stream in STREAMS:
        house.lake.create(f"silver.{stream}", columns_of(contract(stream)))
    gold.prepare()

    for some in (slice(0, None, 3), slice(1, None, 3), slice(2, None, 3)):
        for stream in reversed(STREAMS):
            put(house, stream, truth["lines"][stream][some])
        gold.run_pass(WINDOW)

    assert all(truth["expected"][OF_FILE.get(name, name)] for name in TABLES)
    assert_as_expected(house, truth["expected"])
    assert {name: len(target.rows(table)) for name, table in TABLES.items()} == {
        name: len(truth["expected"][OF_FILE.get(name, name)]) for name in TABLES
    }


def put(house, stream, lines):
    """Append records to silver as their contract has them."""
    schema = columns_of(contract(stream))
    times = {column.name for column in schema if isinstance(column.dataType, T.TimestampType)}
    found = [{"window_id": WINDOW, **json.loads(line, parse_float=Decimal)} for line in lines]
    rows = [
        tuple(datetime.fromisoformat(one[name]) if name in times else one.get(name) for name in schema.names)
        for one in found
    ]
    house.lake.append(f"silver.{stream}", house.spark.createDataFrame(rows, schema))


def contract(stream):
    return load_contracts(stream)[-1]
