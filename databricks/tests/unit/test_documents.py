"""What the wheel reads and writes beside records, held against `contracts/documents` and `contracts/lookups`."""

import json
from dataclasses import MISSING, fields, replace
from importlib.resources import files
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_house import lookup
from lakehouse.config import MODES, Parameters, parse_parameters, run_request
from lakehouse.counting.beside import Beside
from lakehouse.counting.counts import Hole, WindowCounts
from lakehouse.counting.reconciling import Equations, as_rows
from lakehouse.gold import trades_enriched
from lakehouse.request import Container, ExportedStream, FurtherHub, RunRequest, Stream, parse_lookups
from lakehouse.streams.contract import load_contract
from lakehouse.streams.events import Property
from lakehouse.streams.packs import lines_of
from lakehouse.window import SPILL_STATES, Closed, Spilled, StreamCounts, closed_of, parse_closed

WHEEL = files("lakehouse")


def schema(path):
    return json.loads(WHEEL.joinpath("contracts", f"{path}.schema.json").read_text())


GRAMMAR = schema("documents/grammar.v1")["$defs"]
CLOSED = schema("documents/window_closed.v1")
EVENT = schema("documents/event_properties.v1")
JOB = schema("documents/job_parameters.v1")
COUNTS = schema("documents/window_counts.v1")
ASSETS = schema("lookups/assets.v1")

OF_FORMER_VERSIONS = {"enriched", "unmatched"}
"""Stages that are in databases still, and that nothing writes any more."""

FOR_PEOPLE = {"window", "start", "end"}
"""Of closed.json: a run knows its window already, and ends by positions alone."""

REQUIRED = {field.name for field in fields(Parameters) if field.default is MISSING}

TARGET = {
    "lake_root": "l",
    "checkpoint_root": "c",
    "reference_url": "r",
    "files_url": "f",
    "sql_url": "jdbc:sqlite:x",
    "source": "kafka",
}


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


def test_a_marker_as_the_contract_shows_it_is_read():
    example, of_hubs = CLOSED["examples"]

    closed = parse_closed(json.dumps(example).encode(), "trades")

    made = "2026-11-01T09:30:00.123000+00:00"
    attempts = {"0": 1, "1": 2, "close": 1}
    counts, spill = StreamCounts(11, 7, 1, 1, 2), Spilled(1, 1, 0, 0, 3)
    assert closed == Closed("closed", counts, {"0": 4, "1": -1}, attempts, made, spill)
    spread = parse_closed(json.dumps(of_hubs).encode(), "transactions")
    assert spread.last == {"0": 1, "1": 0, "payments-b/0": 2, "payments-b/1": 1}
    assert spread.further_created == {"payments-b": "2026-11-01T09:31:00.456000+00:00"}
    assert (closed.waiting_for_cosmos, spread.waiting_for_cosmos) == (0, 2)


def test_of_a_marker_all_is_read_that_the_contract_has_but_what_is_for_people():
    marker = Watched(CLOSED["examples"][0])

    closed_of(marker, "trades")

    assert marker.asked | FOR_PEOPLE == set(CLOSED["properties"])
    assert not marker.asked & FOR_PEOPLE
    assert marker.asked - {"continued", "hubs", "further_hubs", "spill", "cosmos"} <= set(CLOSED["required"])


def test_of_a_streams_counts_all_are_read_that_count_records():
    counts = Watched(dict.fromkeys(GRAMMAR["stream_counts"]["properties"], 1))
    marker = CLOSED["examples"][0] | {"counts": {"trades": counts}}

    closed_of(marker, "trades")

    assert counts.asked | {"events"} == set(GRAMMAR["stream_counts"]["properties"])
    assert counts.asked >= set(GRAMMAR["stream_counts"]["required"])


def test_of_what_was_spilled_all_is_read_that_the_contract_has():
    rule = CLOSED["$defs"]["spilled"]["properties"]

    assert [field.name for field in fields(Spilled)] == list(rule)
    assert set(SPILL_STATES) < set(rule)


def test_the_properties_of_events_are_those_of_the_contract():
    of_forms = [set(form["properties"]) for form in EVENT["$defs"].values()]

    assert set(Property) == set().union(*of_forms)
    assert {name for name, form in EVENT["$defs"].items() if Property.ROWS in form["required"]} == {"pack"}


def test_every_encoding_of_the_contract_is_opened():
    bodies = {"identity": b"{}\n", "zstd": pa.compress(b"{}\n", codec="zstd", asbytes=True)}
    encodings = EVENT["$defs"]["pack"]["properties"]["encoding"]["enum"]

    assert {name: list(lines_of(bodies[name], name, 1)) for name in encodings} == {name: [b"{}"] for name in bodies}


def test_the_parameters_of_a_run_are_those_of_the_contract():
    defaults = {field.name: field.default for field in fields(Parameters) if field.default is not MISSING}

    assert set(JOB["properties"]) <= {field.name for field in fields(Parameters)}
    assert REQUIRED & set(JOB["properties"]) == set(JOB["required"])
    assert {name: defaults[name] for name in JOB["properties"] if name not in JOB["required"]} == {
        name: rule["default"] for name, rule in JOB["properties"].items() if "default" in rule
    }
    assert REQUIRED - set(JOB["properties"]) == set(TARGET)


def test_what_a_run_may_choose_from_is_what_the_contract_allows():
    stream = JOB["properties"]["streams"]["contentSchema"]["items"]
    of_hubs, exported = ({field.name for field in fields(kind)} for kind in (Stream, ExportedStream))
    needed = {field.name for field in fields(Stream) if field.default is MISSING}
    forbidden = stream["dependentSchemas"]["files"]["properties"]

    assert list(MODES) == JOB["properties"]["mode"]["enum"]
    assert of_hubs | exported == set(stream["properties"])
    assert [needed - exported, exported - of_hubs] == [set(one["required"]) for one in stream["oneOf"]]
    assert needed & exported == set(stream["required"])
    assert of_hubs - exported - needed == set(forbidden)


@given(st.dictionaries(st.from_regex(GRAMMAR["lookup"]["pattern"], fullmatch=True).map(str.rstrip), st.just("a/1")))
def test_a_lookup_of_any_name_of_the_grammar_is_read(lookups):
    assert parse_lookups(json.dumps(lookups)) == lookups


def test_parameters_as_the_contract_shows_them_are_read():
    request, of_hubs, of_shop = (
        run_request(parse_parameters([f"--{name}={value}" for name, value in (one | TARGET).items()], Parameters, ""))
        for one in JOB["examples"]
    )

    assert isinstance(request, RunRequest)
    assert request.streams == (Stream("trades", "market-trades", "trades/1", "2026-11-01T09:30:00.123000+00:00"),)
    further = (FurtherHub("payments-b", "2026-11-01T09:30:00.123000+00:00"),)
    cosmos = Container("ingestion", "transactions")
    assert of_hubs.streams == (
        Stream("transactions", "payments-a", "transactions/1", further_hubs=further, cosmos=cosmos),
    )
    assert request.lookups == {"assets": "assets/trades-20261122T100000Z.parquet"}
    assert of_shop.streams == (Stream("pageviews", "pageviews", "pageviews/1"),)
    assert of_shop.exported == (ExportedStream("orders", "exports/orders", "orders/1"),)
    assert of_shop.lookups == {"users": "users/users.json", "products": "products/product_*.json"}


@pytest.mark.parametrize("missing", sorted(JOB["required"]))
def test_a_parameter_that_the_contract_requires_is_missed(missing, capsys):
    given = {name: value for name, value in (JOB["examples"][0] | TARGET).items() if name != missing}

    with pytest.raises(SystemExit):
        parse_parameters([f"--{name}={value}" for name, value in given.items()], Parameters, "")

    assert f"--{missing}" in capsys.readouterr().err


def test_counts_are_written_under_the_stages_of_the_contract():
    gold = {"enriched": {"": 60}, "unmatched": {"XYZ": 10}, "conformed": {"": 80}}
    counts = WindowCounts(10, 100, 80, 4, 6, {("0", 1): 80}, gold, {"Trades": 59}, [Hole("0", 1, 2)], {"blank": 3})
    counts = replace(counts, cosmos=Beside(80))
    sent_twice = WindowCounts(10, 100, 80, 4, 6, {("0", 1): 150})
    closed = Closed("closed", StreamCounts(99, 90, 0, 3, 2), {}, {"0": 1}, spill=Spilled(dead=2))

    rows = as_rows(
        counts, closed, Equations([("enriched", "unmatched")], {"enriched": "Trades"}, {"conformed": "silver"})
    )
    rows += as_rows(sent_twice, closed, Equations())

    assert {stage for stage, _, _ in rows} == set(COUNTS["properties"]["stage"]["enum"]) - OF_FORMER_VERSIONS
    assert max(len(name) for _, name, _ in rows) <= COUNTS["properties"]["name"]["maxLength"]


def test_golds_key_is_that_of_a_trade_with_its_symbol_called_market():
    key = tuple("market" if name == "symbol" else name for name in load_contract("trades/1").key)

    assert trades_enriched.TABLE.key == key


def test_gold_takes_columns_that_the_lookup_has_in_types_that_hold_them():
    holds = {"string": "string", "int32": "long", "decimal128(38, 18)": "decimal(38,18)"}
    taken = {
        column.of.partition(".")[2]: column for column in trades_enriched.COLUMNS if column.of.startswith("assets.")
    }

    assert set(taken) <= set(ASSETS["required"])
    assert {name: column.type for name, column in taken.items()} == {
        name: holds[ASSETS["properties"][name]["x-type"]] for name in taken
    }


def test_the_tests_own_lookup_is_one_of_the_contract():
    table = pq.read_table(BytesIO(lookup(["BTC"])))

    assert {field.name: str(field.type) for field in table.schema} == {
        name: rule["x-type"] for name, rule in ASSETS["properties"].items()
    }
