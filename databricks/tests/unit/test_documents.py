"""What the wheel reads and writes beside records, held against `contracts/documents` and `contracts/lookups`."""

import json
import re
from dataclasses import MISSING, fields, replace
from importlib.resources import files
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import expressions

from job_house import lookup
from lakehouse import packs
from lakehouse.config import MODES, REQUIRED, Parameters, parse_parameters, run_request
from lakehouse.streams.contract import load_contract
from lakehouse.counting.counts import WindowCounts
from lakehouse.streams.packs import Property, lines_of
from lakehouse.counting.reconciling import as_rows
from lakehouse.request import LOOKUPS, RunRequest, Stream
from lakehouse.window import Closed, StreamCounts, closed_of, parse_closed

WHEEL = files("lakehouse")


def schema(path):
    return json.loads(WHEEL.joinpath("contracts", f"{path}.schema.json").read_text())


GRAMMAR = schema("documents/grammar.v1")["$defs"]
CLOSED = schema("documents/window_closed.v1")
EVENT = schema("documents/event_properties.v1")
JOB = schema("documents/job_parameters.v1")
COUNTS = schema("documents/window_counts.v1")
ASSETS = schema("lookups/assets.v1")

FOR_PEOPLE = {"window", "start", "end"}
"""Of closed.json: a run knows its window already, and ends by positions alone."""

TARGET = {"lake_root": "l", "checkpoint_root": "c", "reference_url": "r", "sql_url": "jdbc:sqlite:x", "source": "kafka"}


class Watched(dict):
    """A dict that remembers which of its keys were asked for."""

    def __init__(self, *given):
        super().__init__(*given)
        self.asked = set()

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)


def length_of(rule):
    return rule.get("maxLength") or GRAMMAR[rule["$ref"].rpartition("/")[2]]["maxLength"]


def columns_of(dialect, name):
    (statement,) = [
        found
        for tree in sqlglot.parse(WHEEL.joinpath("sql", dialect, name).read_text(), dialect=dialect)
        for found in tree.find_all(expressions.Create)
    ]
    return {column.name: column for column in statement.find_all(expressions.ColumnDef)}, statement


def test_a_marker_as_the_contract_shows_it_is_read():
    (example,) = CLOSED["examples"]

    closed = parse_closed(json.dumps(example).encode(), "trades")

    assert closed == Closed("closed", StreamCounts(11, 7, 1, 1, 2), {"0": 4, "1": -1}, {"0": 1, "1": 2, "close": 1})


def test_of_a_marker_all_is_read_that_the_contract_has_but_what_is_for_people():
    marker = Watched(CLOSED["examples"][0])

    closed_of(marker, "trades")

    assert marker.asked | FOR_PEOPLE == set(CLOSED["properties"])
    assert not marker.asked & FOR_PEOPLE
    assert marker.asked <= set(CLOSED["required"])


def test_of_a_streams_counts_all_are_read_that_count_records():
    counts = Watched(dict.fromkeys(GRAMMAR["stream_counts"]["properties"], 1))
    marker = CLOSED["examples"][0] | {"counts": {"trades": counts}}

    closed_of(marker, "trades")

    assert counts.asked | {"events"} == set(GRAMMAR["stream_counts"]["properties"])
    assert counts.asked >= set(GRAMMAR["stream_counts"]["required"])


def test_the_properties_of_events_are_those_of_the_contract():
    of_forms = [set(form["properties"]) for form in EVENT["$defs"].values()]

    assert set(Property) == set().union(*of_forms)
    assert {name for name, form in EVENT["$defs"].items() if Property.ROWS in form["required"]} == {"pack"}


def test_every_encoding_of_the_contract_is_opened():
    bodies = {"identity": b"{}\n", "zstd": pa.compress(b"{}\n", codec="zstd", asbytes=True)}
    encodings = EVENT["$defs"]["pack"]["properties"]["encoding"]["enum"]

    assert {name: lines_of(bodies[name], name, 1) for name in encodings} == {name: [b"{}"] for name in bodies}


@given(st.from_regex(GRAMMAR["slice_id"]["pattern"], fullmatch=True).map(str.rstrip))
def test_a_slices_number_and_the_trys_are_found_in_every_name_of_the_grammar(slice_id):
    window, _, rest = slice_id.partition("/")
    number, _, attempt = rest.partition(".")

    assert re.fullmatch(GRAMMAR["window_id"]["pattern"], window)
    assert re.search(packs._SLICE_NUMBER, slice_id)[1] == number
    assert re.search(packs._ATTEMPT, slice_id)[1] == attempt


def test_the_parameters_of_a_run_are_those_of_the_contract():
    defaults = {field.name: field.default for field in fields(Parameters) if field.default is not MISSING}

    assert set(JOB["properties"]) <= {field.name for field in fields(Parameters)}
    assert REQUIRED & set(JOB["properties"]) == set(JOB["required"])
    assert {name: defaults[name] for name in JOB["properties"] if name not in JOB["required"]} == {
        name: rule["default"] for name, rule in JOB["properties"].items() if "default" in rule
    }
    assert REQUIRED - set(JOB["properties"]) == set(TARGET)


def test_what_a_run_may_choose_from_is_what_the_contract_allows():
    lookups = JOB["properties"]["lookups"]["contentSchema"]
    stream = JOB["properties"]["streams"]["contentSchema"]["items"]

    assert list(MODES) == JOB["properties"]["mode"]["enum"]
    assert set(LOOKUPS) == set(lookups["properties"])
    assert {field.name for field in fields(Stream)} == set(stream["properties"]) == set(stream["required"])


def test_parameters_as_the_contract_shows_them_are_read():
    (example,) = JOB["examples"]

    request = run_request(parse_parameters([f"--{name}={value}" for name, value in (example | TARGET).items()]))

    assert isinstance(request, RunRequest)
    assert request.stream == Stream("trades", "market-trades", "trades/1")
    assert request.lookups == {"assets": "assets/trades-20261122T100000Z.parquet"}


@pytest.mark.parametrize("missing", sorted(JOB["required"]))
def test_a_parameter_that_the_contract_requires_is_missed(missing, capsys):
    given = {name: value for name, value in (JOB["examples"][0] | TARGET).items() if name != missing}

    with pytest.raises(SystemExit):
        parse_parameters([f"--{name}={value}" for name, value in given.items()])

    assert f"--{missing}" in capsys.readouterr().err


@pytest.mark.parametrize("dialect", ["tsql", "sqlite"])
def test_window_counts_has_the_columns_and_the_key_of_the_contract(dialect):
    columns, statement = columns_of(dialect, "create_window_counts.sql")
    (key,) = statement.find_all(expressions.PrimaryKey)

    assert list(columns) == COUNTS["required"] == list(COUNTS["properties"])
    assert [column.name for column in key.find_all(expressions.Identifier)] == COUNTS["x-key"]
    assert all(column.find(expressions.NotNullColumnConstraint) for column in columns.values())


def test_a_text_of_window_counts_is_as_long_as_the_contract_allows():
    columns, _ = columns_of("tsql", "create_window_counts.sql")
    texts = {name: column.kind for name, column in columns.items() if column.kind.this.name == "NVARCHAR"}

    assert {name: int(kind.expressions[0].name) for name, kind in texts.items()} == {
        name: length_of(COUNTS["properties"][name]) for name in ("window_id", "stream", "stage", "name")
    }


def test_a_count_is_inserted_with_every_column_of_the_contract():
    (statement,) = sqlglot.parse(WHEEL.joinpath("sql", "any", "insert_window_count.sql").read_text(), dialect="tsql")

    assert [column.name for column in statement.this.expressions] == COUNTS["required"]


def test_counts_are_written_under_the_stages_of_the_contract():
    counts = WindowCounts(10, 100, 80, 4, 6, {("0", 1): 150}, 60, {"XYZ": 10}, 59)
    closed = Closed("closed", StreamCounts(99, 90, 0, 3, 2), {}, {"0": 1})

    rows = as_rows(counts, closed) + as_rows(replace(counts, enriched=None, unmatched=None, sql=None), None)

    assert {stage for stage, _, _ in rows} == set(COUNTS["properties"]["stage"]["enum"])
    assert max(len(name) for _, name, _ in rows) <= COUNTS["properties"]["name"]["maxLength"]


def test_the_tests_own_lookup_is_one_of_the_contract():
    table = pq.read_table(BytesIO(lookup(["BTC"])))

    assert {field.name: str(field.type) for field in table.schema} == {
        name: rule["x-type"] for name, rule in ASSETS["properties"].items()
    }
