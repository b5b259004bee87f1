"""The job of Stream Analytics says the same as the lakehouse and the truth of the shop, in columns and in constants.

No engine of it runs here. Its queries are read by sqlglot, without TIMESTAMP BY, and DuckDB answers them on the
example's records, once what only Stream Analytics knows is written in other words: so joins, filters and bounds of time
are tried. What the service alone does is not seen: its time policies, the order of events, ISFIRST of equal times, and
whether it takes the syntax.
"""

import ast
import json
import re
from datetime import datetime, timedelta

import duckdb
import pytest
import sqlglot
from sqlglot import expressions as sql

from shared.contracts import load_contract
from shared.domain.windows.window import microseconds, parse_stamp
from shared.feeds.feed import Position
from shared.feeds.shop import truth
from shared.feeds.shop.building import build
from shared.feeds.shop.feed import FEED, Shop
from tests.architecture.tree import ROOT

FOLDER = ROOT / "definitions/stream_analytics"
QUERY = (FOLDER / "shop_analytics.asaql").read_text(encoding="utf-8")
EXAMPLE = json.loads((ROOT / "tests/shop_analytics/example.json").read_text(encoding="utf-8"))
TEMPLATE = json.loads((FOLDER / "job.json").read_text(encoding="utf-8"))
JOB = TEMPLATE["resources"][0]["properties"]
GOLD = ROOT / "databricks/src/lakehouse/gold"
VIEW = list(EXAMPLE["pageviews"][0])
TABLES = ("pageviews_by_method", "pageviews_high_latency", "pageviews_high_latency_enriched", "pageviews_vip",
          "pageviews_after_low_stars", "first_pageviews")  # fmt: skip
TIMES = {"pageviews": "viewed_at", "stars": "starred_at"}
REFUSED = {"stars": [EXAMPLE["stars"][0] | {"star_id": "0" * 8 + "-0000-8000-8000-" + "0" * 12, "stars": 0}]}
"""What no contract lets through, and the lakehouse sets aside."""

KEYS = {"pageviews": "view_id", "stars": "star_id", "users": "id", "vip_users": "id"}


def named(output):
    return output.replace("-", "_")


def statements():
    """Give the queries by the table that they write."""
    plain = re.sub(r"--.*", "", QUERY)
    found = [text.strip() for text in re.split(r"(?m)^(?=SELECT$)", plain) if text.strip()]
    return {named(re.search(r"INTO \[([\w-]+)\]", text)[1]): text for text in found}


def parsed(text):
    """Read a query; `TIMESTAMP BY` is no T-SQL."""
    return sqlglot.parse_one(re.sub(r" TIMESTAMP BY \w+", "", text), dialect="tsql")


def expected(table):
    """Give the example's rows of a table in its columns."""
    rows = EXAMPLE["expected"][table.removesuffix("_enriched")]
    columns = None if table != "pageviews_high_latency" else VIEW
    return [{name: row[name] for name in columns or row} for row in rows]


def constants(module):
    """Read the numbers and durations that a module of the lakehouse names."""
    tree = ast.parse((GOLD / f"{module}.py").read_text(encoding="utf-8"))
    bound = [(one.targets[0].id, one.value) for one in tree.body if isinstance(one, ast.Assign)]
    return {
        name: timedelta(**{one.arg: one.value.value for one in value.keywords})
        if isinstance(value, ast.Call)
        else value.value
        for name, value in bound
        if isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and value.func.id == "timedelta")
    }


def test_there_is_a_query_for_each_table_of_the_streams_and_an_output_for_each_query():
    outputs = [named(one["name"]) for one in JOB["outputs"]]

    assert list(statements()) == outputs == list(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_a_query_can_be_read_and_gives_the_columns_of_the_table(table):
    found = parsed(statements()[table])

    assert found.named_selects == list(expected(table)[0])


@pytest.mark.parametrize("table", TABLES)
def test_a_query_reads_inputs_of_the_job_by_columns_of_their_contracts(table):
    text, found = statements()[table], parsed(statements()[table])
    inputs = {one["name"] for one in JOB["inputs"]}
    aliases = {one.alias: one.name for one in found.find_all(sql.Table) if one.alias}

    assert set(aliases.values()) <= inputs
    for column in found.find_all(sql.Column):
        if column.table:
            assert column.name in EXAMPLE[aliases[column.table]][0], column.sql()
    for stream, time in re.findall(r"\[(\w+)\] \w TIMESTAMP BY (\w+)", text):
        schema = json.loads((ROOT / f"contracts/{stream}.v1.schema.json").read_text(encoding="utf-8"))
        assert schema["x-event-time"] == time


def test_the_job_reads_the_hubs_and_the_files_of_the_feed():
    hubs = {one["name"] for one in JOB["inputs"] if one["properties"]["type"] == "Stream"}
    files = {
        one["name"]: one["properties"]["datasource"]["properties"]["pathPattern"]
        for one in JOB["inputs"]
        if one["properties"]["type"] == "Reference"
    }

    assert hubs == {stream.name for stream in FEED.streams if stream.destination.kind == "hub"}
    assert files == {one.name: one.path for one in FEED.references if one.name in files}
    assert set(files) == set(FEED.lookups)


def test_of_users_nothing_is_taken_that_is_personal():
    schema = json.loads((ROOT / "contracts/lookups/users.v1.schema.json").read_text(encoding="utf-8"))
    personal = {name for name, rule in schema["properties"].items() if rule.get("x-pii")}

    taken = {column.name for text in statements().values() for column in parsed(text).find_all(sql.Column)}

    assert personal.isdisjoint(taken)
    assert {"user_name", "city"} <= taken


def test_bounds_are_those_of_the_truth_and_of_the_lakehouse():
    found = statements()
    (latency,) = set(re.findall(r"latency > (\d+)", QUERY))
    (low,) = re.findall(r"stars < (\d+)", found["pageviews_after_low_stars"])
    (after,) = re.findall(r"BETWEEN 0 AND (\d+)", found["pageviews_after_low_stars"])
    (width,) = re.findall(r"Duration\(minute, (\d+)\)", found["pageviews_by_method"])
    (back,) = re.findall(r"DATEADD\(millisecond, -(\d+)", found["pageviews_by_method"])
    (first,) = re.findall(r"ISFIRST\(minute, (\d+)\)", found["first_pageviews"])
    millisecond, minute = timedelta(milliseconds=1), timedelta(minutes=1)

    here = (int(latency), int(low), int(after) * millisecond, int(width) * minute, int(first) * minute)
    of_lakehouse = (
        constants("pageviews_high_latency")["SLOW"],
        constants("pageviews_after_low_stars")["LOW_STARS"],
        constants("pageviews_after_low_stars")["AFTER"],
        constants("pageviews_by_method")["WIDTH"],
        constants("first_pageviews")["HOUR"],
    )

    assert here == of_lakehouse
    assert here == (truth.SLOW, truth.LOW_STARS, truth.AFTER_LOW_STARS, truth.BY_METHOD, truth.FIRST_IN)
    assert int(back) * millisecond == truth.BY_METHOD - millisecond


@pytest.mark.parametrize("table", TABLES)
def test_the_answers_that_are_expected_beside_the_queries_are_the_examples(table):
    path = FOLDER / "expected" / f"{table.replace('_', '-')}.json"

    lines = path.read_text(encoding="utf-8").splitlines()

    assert [json.loads(line) for line in lines] == expected(table)


@pytest.mark.parametrize("table", TABLES)
def test_a_query_gives_the_examples_answers_where_another_engine_can_stand_in(table, records):
    found = records.execute(in_words_of_duckdb(statements()[table]))

    names = [column[0] for column in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert sorted(map(str, map(written, rows))) == sorted(map(str, expected(table)))


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Give a database with the example's records, each once, as an output with keys shows them."""
    folder = tmp_path_factory.mktemp("records")
    with duckdb.connect() as database:
        for name, key in KEYS.items():
            unique = {record[key]: record for record in (*EXAMPLE[name], *REFUSED.get(name, ()))}
            without_zone = "\n".join(map(json.dumps, unique.values())).replace('Z"', '"')
            (folder / f"{name}.json").write_text(without_zone, encoding="utf-8")
            database.read_json(str(folder / f"{name}.json")).create(name)
        for name, time in TIMES.items():
            database.execute(f"ALTER TABLE {name} ALTER {time} TYPE TIMESTAMP")
        yield database


def in_words_of_duckdb(text):
    """Write in other words what only Stream Analytics knows, with the numbers that stand there."""
    times = dict(re.findall(r"\] (\w) TIMESTAMP BY (\w+)", text))
    text = re.sub(r" TIMESTAMP BY \w+|INTO \[[\w-]+\]", "", text).replace("[", "").replace("]", "")
    text = re.sub(
        r"DATEDIFF\(millisecond, (\w), (\w)\)",
        lambda one: f"date_diff('millisecond', {one[1]}.{times[one[1]]}, {one[2]}.{times[one[2]]})",
        text,
    )
    if bucket := re.search(r"TumblingWindow\(Duration\(minute, (\d+)\), Offset\(millisecond, -1\)\)", text):
        start = f"time_bucket(INTERVAL {bucket[1]} MINUTE, p.viewed_at)"
        text = text.replace(bucket[0], start)
        return re.sub(r"DATEADD\(millisecond, -\d+, System.Timestamp\(\)\)", start, text)
    if first := re.search(r"WHERE ISFIRST\(minute, (\d+)\) OVER \(PARTITION BY p.user_id\) = 1", text):
        start = f"time_bucket(INTERVAL {first[1]} MINUTE, p.viewed_at)"
        over = f"PARTITION BY p.user_id, {start} ORDER BY p.viewed_at, p.view_id"
        text = text.replace(first[0], f"QUALIFY row_number() OVER ({over}) = 1")
        return re.sub(r"DATETIMEFROMPARTS\(.*?0, 0, 0\s*\)", start, text, flags=re.DOTALL)
    return text


def written(row):
    """Write a row as the example has it."""
    form = {"window_start": lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {name: form[name](value) if name in form else _plain(value) for name, value in row.items()}


def _plain(value):
    if hasattr(value, "isoformat"):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    return value if value is None or isinstance(value, int | str) else str(value)


def test_the_tolerances_hold_what_sessions_are_late(shop_lateness):
    late = timedelta(seconds=JOB["eventsLateArrivalMaxDelayInSeconds"])
    disorder = timedelta(seconds=JOB["eventsOutOfOrderMaxDelayInSeconds"])

    assert shop_lateness < disorder <= timedelta(seconds=599)
    assert disorder <= late
    assert (JOB["eventsOutOfOrderPolicy"], JOB["compatibilityLevel"]) == ("Drop", "1.2")


@pytest.fixture
def shop_lateness():
    """Give by how much a view of an hour is sent after its time, at most."""
    start = microseconds(parse_stamp("20261127T130000Z"))
    views = Shop(build(7)).draw(Position("shop-20261127T130000Z", 0, 0, 36_000, start, 10.0))["pageviews"]
    times = [json.loads(line)["viewed_at"] for line in views.lines.to_pylist()]
    sent = [start + 100_000 * number for number in range(len(times))]
    return max(
        timedelta(microseconds=at - microseconds(datetime.fromisoformat(time)))
        for at, time in zip(sent, times, strict=True)
    )


def test_columns_of_the_streams_are_those_of_their_contracts():
    assert [column.name for column in load_contract("pageviews/1").columns] == VIEW
