"""What the app writes for others to read, held against `contracts/documents` and `contracts/lookups`."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from shared.clients.event_grid.fake import FakeTopic
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.sql.tables import WINDOW_COUNTS
from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.clients.storage.fake_spill import FakeSpill
from shared.contracts import FOLDER
from shared.domain.delivery import Event
from shared.domain.runs.run import RunMode, RunRow, parameters_of
from shared.domain.sinks import SinkMeter
from shared.domain.spill import SPILL_STATES, SpilledBatch, batch_path, message_of, stream_at
from shared.domain.windows.announcement import closing, opening
from shared.domain.windows.ending import Completion, decide_ending
from shared.domain.windows.ledger_row import TERMINAL, SliceRow, WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Slice, Window
from shared.feeds.assets import prepare
from shared.feeds.catalogue import FEEDS
from shared.feeds.lookup_files import parquet
from shared.feeds.packing import Packing, as_events
from shared.feeds.records import Records
from shared.feeds.slicing import StreamCounts
from shared.flows.announce import WindowEvents, mark_closed
from shared.flows.lookups import lookup_makers

SCHEMAS = {path.relative_to(FOLDER).as_posix(): json.loads(path.read_text()) for path in FOLDER.rglob("*/*.json")}
REGISTRY = Registry().with_resources(
    (name.rpartition("/")[2], DRAFT202012.create_resource(schema)) for name, schema in SCHEMAS.items()
)
GRAMMAR = SCHEMAS["documents/grammar.v1.schema.json"]["$defs"]
COUNTED = set(GRAMMAR["stream_counts"]["properties"])
FORMATS = FormatChecker(formats=())

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window("call_centre", NOON, NOON + HOUR)
STREAMS = (
    StreamPlan("calls", ("centre-calls",), "calls/1", "row", "identity", 2),
    StreamPlan("surveys", ("surveys", "surveys-b", "surveys-c"), "surveys/12", "pack", "zstd", 1, cosmos="shop/asked"),
)
PLAN = PlanTemplate(HOUR, timedelta(), timedelta(), 1.0, 1.0, (), STREAMS).freeze(WINDOW, NOON, "", {})
HUBS = {stream.name: stream.hubs for stream in STREAMS}
MADE = {hub: "2026-11-01T10:00:00.123000+00:00" for hubs in HUBS.values() for hub in hubs}
PART = Slice(WINDOW.id, 0, NOON, NOON + HOUR)

feeds = st.from_regex(GRAMMAR["feed"]["pattern"], fullmatch=True)
instants = st.integers(-(10**9), 3 * 10**10).map(lambda seconds: NOON + timedelta(seconds=seconds))


@FORMATS.checks("date-time", raises=ValueError)
def is_instant_with_offset(text):
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


def breaches(schema, document):
    """Each rule of a schema that the document breaks, with its place."""
    checker = Draft202012Validator(schema, registry=REGISTRY, format_checker=FORMATS)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(document)]


def properties_of(schema):
    return set(schema["properties"])


def closed_marker(state):
    """What is really written when a window has ended after one try at its only slice, counted as slices count."""
    ledger, hubs = FakeLedger(), FakeEventHubs({"centre-calls": 2, "surveys": 1, "surveys-b": 2, "surveys-c": 1})
    hubs.received["centre-calls"] += [Event(b"{}", 1, {}, partition_id="1")]
    counts = {stream.name: StreamCounts().as_wire() for stream in STREAMS}
    sinks = {"surveys": {"hub": SinkMeter().as_wire(), "cosmos": SinkMeter(read=7).as_wire()}}
    attempt = SliceRow(PART, 3, state, NOON, NOON, counts, sinks=sinks)
    row = WindowRow(WINDOW, "open", "timer", NOON, PLAN.as_wire())
    ending = decide_ending(row, PLAN.slices(), [attempt], Completion())
    ledger.claim(WindowRow(WINDOW, ending.state, "timer", NOON, PLAN.as_wire(), result=ending.result))
    ledger.write_attempt(attempt)
    spill = FakeSpill(lambda: NOON)
    for attempt_id in (PART.attempt_id(3), PART.attempt_id(2)):
        for stream, place in (("calls", "centre-calls"), (stream_at("surveys", "cosmos"), "shop/asked")):
            path = batch_path(stream, attempt_id, 0)
            spill.keep(SpilledBatch(path, "call_centre", place, 5, 5, "0" * 64, NOON), b"")
    publisher = WindowEvents(ledger, hubs, FakeReference(lambda: NOON), spill, FakeTopic(), lambda: NOON)
    written = asyncio.run(mark_closed(publisher, WINDOW.id))
    return json.loads(publisher.reference.read(written["path"]))


def events(packing):
    lines = pa.array([b'{"id": 1}\n', b'{"id": 2}\n'], pa.binary())
    records = Records(lines, pa.array(["a", "b"]).dictionary_encode())
    made, _ = as_events(records, packing, contract="calls/1", slice_id=PART.attempt_id(1), partitions=2)
    return made


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_document_is_a_schema_and_its_examples_fit_it(name):
    schema = SCHEMAS[name]

    Draft202012Validator.check_schema(schema)

    assert [found for example in schema.get("examples", ()) for found in breaches(schema, example)] == []


def test_the_check_sees_what_is_missing_surplus_or_malformed():
    schema = SCHEMAS["documents/window_closed.v1.schema.json"]
    good, of_hubs = schema["examples"]
    (further,) = of_hubs["further_hubs"]["transactions"]
    bad = [
        {name: value for name, value in good.items() if name != "state"},
        good | {"colour": "red"},
        good | {"window": "trades"},
        good | {"end": "2026-11-22T10:10:00"},
        of_hubs | {"further_hubs": {"transactions": []}},
        of_hubs | {"further_hubs": {"transactions": [further | {"last_sequence_numbers": {"a": 1}}]}},
        good | {"counts": {"trades": {"read": -1, "accepted": 0, "refused": 0, "unknown": 0}}},
    ]

    assert all(breaches(schema, document) for document in bad)


@pytest.mark.parametrize("state", ["done", "failed"])
def test_closed_json_is_what_its_contract_says(state):
    schema = SCHEMAS["documents/window_closed.v1.schema.json"]

    marker = closed_marker(state)

    assert breaches(schema, marker) == []
    assert set(marker) == properties_of(schema) - {"continued"}  # of a replayed slice alone, which goes on
    assert [set(counts) for counts in marker["counts"].values()] == [COUNTED, COUNTED]
    assert set(marker["spill"]["calls"]) == properties_of(schema["$defs"]["spilled"]) > set(SPILL_STATES)
    assert (set(marker["counts"]), set(marker["spill"]), set(marker["cosmos"])) == (set(HUBS), {"calls"}, {"surveys"})
    of_cosmos = marker["cosmos"]["surveys"]
    assert set(of_cosmos) == properties_of(schema["properties"]["cosmos"]["additionalProperties"])
    assert (set(of_cosmos["counts"]), of_cosmos["counts"]["read"]) == (COUNTED, 7 if state == "done" else 0)
    assert set(of_cosmos["spill"]) == set(marker["spill"]["calls"])
    further = {stream: [hub["name"] for hub in hubs] for stream, hubs in marker["further_hubs"].items()}
    assert further == {"surveys": ["surveys-b", "surveys-c"]}
    assert {stream: (hub["name"], *further.get(stream, ())) for stream, hub in marker["hubs"].items()} == HUBS


def test_a_window_ends_in_the_states_of_the_contract():
    assert set(SCHEMAS["documents/window_closed.v1.schema.json"]["properties"]["state"]["enum"]) == TERMINAL


@pytest.mark.parametrize(
    ("packing", "form"),
    [
        (Packing("row"), "row"),
        (Packing("pack"), "pack"),
        (Packing("pack", encoding="zstd"), "pack"),
    ],
)
def test_events_carry_the_properties_of_the_contract(packing, form):
    schema = SCHEMAS["documents/event_properties.v1.schema.json"]

    made = events(packing)

    assert made
    assert [found for event in made for found in breaches(schema, event.properties)] == []
    assert all(set(event.properties) == properties_of(schema["$defs"][form]) for event in made)


ORDERS = StreamPlan("orders", (), "orders/1", "row", "identity", 0, "sql")


def test_a_run_is_not_given_streams_that_go_elsewhere_than_to_a_hub_or_to_sql():
    alone = StreamPlan("stars", (), "stars/1", "row", "identity", 0, "cosmos", "shop/stars")
    files = StreamPlan("calls", (), "calls/1", "row", "identity", 0, "lake_parquet")

    parameters = parameters_of(RunRow(WINDOW, 1, "follow", "claimed", NOON, NOON), [*STREAMS, alone, files], {}, {})

    assert [one["name"] for one in json.loads(parameters["streams"])] == [one.name for one in STREAMS]


def test_a_run_reads_a_stream_of_a_sql_table_from_the_folder_that_it_is_exported_to():
    schema = SCHEMAS["documents/job_parameters.v1.schema.json"]["properties"]["streams"]["contentSchema"]

    parameters = parameters_of(RunRow(WINDOW, 1, "follow", "claimed", NOON, NOON), [ORDERS, *STREAMS], {}, MADE)

    streams = json.loads(parameters["streams"])
    assert streams[-1] == {"name": "orders", "files": "exports/orders", "contract": "orders/1"}
    assert breaches(schema, streams) == []
    assert breaches(schema, [streams[0] | {"files": "exports/orders"}]) != []
    assert breaches(schema, [streams[-1] | {"cosmos": {"database": "a", "container": "b"}}]) != []


@pytest.mark.parametrize("mode", RunMode.__args__)
@pytest.mark.parametrize("lookups", [{}, {name: f"{name}/{WINDOW.id}.parquet" for name in ("assets", "stores")}])
def test_a_run_is_given_the_parameters_of_the_contract(mode, lookups):
    schema = SCHEMAS["documents/job_parameters.v1.schema.json"]
    run = RunRow(WINDOW, 1, mode, "claimed", NOON, NOON, lookups=lookups)

    parameters = parameters_of(run, STREAMS, {"grace": timedelta(seconds=30), "drain_limit": 30 * HOUR}, MADE)

    assert breaches(schema, parameters) == []
    assert set(parameters) == properties_of(schema)
    for name, rule in schema["properties"].items():
        if "contentSchema" in rule:
            assert breaches(rule["contentSchema"], json.loads(parameters[name])) == []


def test_a_runs_streams_name_all_that_the_contract_knows_of_a_stream():
    schema = SCHEMAS["documents/job_parameters.v1.schema.json"]["properties"]["streams"]["contentSchema"]

    run = RunRow(WINDOW, 1, "follow", "claimed", NOON, NOON)
    known, unknown = (json.loads(parameters_of(run, STREAMS, {}, made)["streams"]) for made in (MADE, {}))

    assert [set(stream) for stream in known] == [
        properties_of(schema["items"]) - {"files", "further_hubs", "cosmos"},
        properties_of(schema["items"]) - {"files"},
    ]
    needed = {"hub", *schema["items"]["required"]}
    assert [set(stream) - {"further_hubs", "cosmos"} for stream in unknown] == [needed] * 2
    assert known[1]["cosmos"] == unknown[1]["cosmos"] == {"database": "shop", "container": "asked"}
    further = schema["items"]["properties"]["further_hubs"]["items"]
    assert [set(hub) for hub in known[1]["further_hubs"]] == [properties_of(further)] * 2
    assert [set(hub) for hub in unknown[1]["further_hubs"]] == [set(further["required"])] * 2


@given(name=st.from_regex(GRAMMAR["lookup"]["pattern"], fullmatch=True).map(str.rstrip))
def test_a_run_may_be_given_a_lookup_of_any_name(name):
    schema = SCHEMAS["documents/job_parameters.v1.schema.json"]["properties"]["lookups"]["contentSchema"]

    assert breaches(schema, {name: f"{name}/1.parquet"}) == []
    assert len(breaches(schema, {f"{name}-": "1", name: ""})) == 2


def test_every_lookup_that_is_made_is_named_as_the_grammar_has_it():
    assert [breaches(GRAMMAR["lookup"], name) for name in lookup_makers(None)] == [[]]


@given(length=st.timedeltas(timedelta(), timedelta(days=400)))
def test_durations_are_written_as_the_grammar_has_them(length):
    run = RunRow(WINDOW, 1, "follow", "claimed", NOON, NOON)

    written = parameters_of(run, STREAMS, {"grace": length}, {})["grace"]

    assert re.fullmatch(GRAMMAR["duration"]["pattern"], written)


def test_the_lookup_has_the_columns_and_types_of_its_contract():
    schema = SCHEMAS["lookups/assets.v1.schema.json"]
    asset = {"id": "bitcoin", "rank": "1", "symbol": "BTC", "maxSupply": "21000000", "priceUsd": "65000.1"}
    page = json.dumps({"data": [asset, {**asset, "id": "wrapped", "rank": "2"}]}).encode()

    table = pq.read_table(BytesIO(parquet(prepare([page]).table)))

    assert {field.name: str(field.type) for field in table.schema} == {
        name: rule["x-type"] for name, rule in schema["properties"].items()
    }
    assert set(schema["required"]) == properties_of(schema)
    assert [breaches(schema, row) for row in table.to_pylist()] == [[]]


@pytest.mark.parametrize("part", ["7.1", "close.2"])
@pytest.mark.parametrize(("reason", "tellings", "absent"), [("", 0, {"reason", "tellings"}), ("no such hub", 2, set())])
def test_a_spilled_batch_is_named_by_the_message_of_the_contract(part, reason, tellings, absent):
    schema = SCHEMAS["documents/spill_message.v1.schema.json"]
    path = batch_path("calls", f"{WINDOW.id}/{part}", 3)

    message = message_of(SpilledBatch(path, "call_centre", "centre-calls", 5, 2, "ab", NOON, reason=reason), tellings)

    assert breaches(schema, message) == []
    assert properties_of(schema) - set(message) == absent


@pytest.mark.parametrize(("attempt", "absent"), [(1, {"attempt"}), (2, set())])
def test_the_topic_is_given_the_events_of_the_contract(attempt, absent):
    schema = SCHEMAS["documents/window_event.v1.schema.json"]
    announcements = {
        "opening": opening(WINDOW, attempt),
        "closing": closing(WINDOW, NOON, "stopped", {"calls": StreamCounts().as_wire()}, attempt),
    }

    for form, one in announcements.items():
        event = {"id": one.id, "eventType": one.event_type, "subject": one.subject, "data": one.data}

        assert breaches(schema["$defs"][form], event) == []
        assert all(set(counts) == COUNTED for counts in one.data.get("counts", {}).values())
        assert set(one.data) == properties_of(schema["$defs"][form]["properties"]["data"]) - absent


def test_the_app_reads_the_columns_of_window_counts():
    schema = SCHEMAS["documents/window_counts.v1.schema.json"]

    assert {column.name for column in WINDOW_COUNTS.columns} == properties_of(schema)
    assert [column.name for column in WINDOW_COUNTS.primary_key] == schema["x-key"]


@given(feed=feeds, start=instants, number=st.integers(0, 10**6), attempt=st.integers(1, 10**6))
def test_windows_and_tries_are_named_as_the_grammar_has_it(feed, start, number, attempt):
    window = Window(feed, start, start + HOUR)

    named = Slice(window.id, number, window.start, window.end).attempt_id(attempt)

    assert re.fullmatch(GRAMMAR["window_id"]["pattern"], window.id)
    assert re.fullmatch(GRAMMAR["slice_id"]["pattern"], named)
    assert re.fullmatch(GRAMMAR["slice_id"]["pattern"], window.closing_attempt_id(attempt))
    assert named.startswith(f"{window.id}/")


def test_feeds_streams_and_contracts_are_named_as_the_grammar_has_it():
    for feed in FEEDS:
        assert breaches(GRAMMAR["feed"], feed.name) == []
        for stream in feed.streams:
            assert breaches(GRAMMAR["stream"], stream.name) + breaches(GRAMMAR["contract"], stream.contract) == []
