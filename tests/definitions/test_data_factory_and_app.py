"""What the Data Factory asks of the app is what the app really has: routes, bodies, answers, events, job, lookup."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.storage.reference import CONTAINER
from shared.domain.runs.run import RunRow
from shared.domain.windows.announcement import OPENED, opening
from shared.domain.windows.ledger_row import TERMINAL, WindowRow
from shared.domain.windows.rows import Rows
from shared.domain.windows.window import Window
from shared.feeds.assets import AMOUNT, SCHEMA
from shared.feeds.trades import FEED
from shared.flows.lookups import ASSETS, folder_of
from shared.http.metrics_requests import parse_measure_request
from shared.http.views import (
    enrichment_view,
    opened_windows,
    run_details,
    window_details,
    window_list,
    window_summary,
)
from shared.http.window_requests import parse_open_request
from shared.settings.measured_tables import measured_tables
from tests.architecture.tree import ROOT
from tests.definitions.expressions import evaluated
from tests.definitions.factory import (
    activities,
    activity,
    expressions,
    looked_up,
    names,
    outputs_named,
    properties,
    rendered,
)

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = Window("trades", START, START + timedelta(hours=1))
ROW = WindowRow(WINDOW, "closed", "request", START)
PIPELINES = names("pipeline")
JOB_PARAMETERS = json.loads((ROOT / "contracts/documents/job_parameters.v1.schema.json").read_text())["properties"]


def calls_of_the_app():
    return [
        one.body
        for pipeline in PIPELINES
        for one in activities(pipeline)
        if one.body["type"] == "AzureFunctionActivity"
    ]


def route_of(call):
    """Give the route that a call's functionName means."""
    name = call["typeProperties"]["functionName"]
    if isinstance(name, str):
        return name
    opened = {"OpenWindow": {"output": {"windows": [{"id": "{id}"}]}}}
    given = {"parameters": {"feed": "trades", "before": "2026-11-22T10:00:00Z"}}
    called = evaluated(name["value"], activity=opened, variables={"window": "{id}"}, pipeline=given)
    return called.partition("?")[0]


def body_of(pipeline, name, values):
    return rendered(activity(pipeline, name).body["typeProperties"]["body"]["value"], values).encode()


def parameters(**given):
    return {f"pipeline().parameters.{name}": value for name, value in given.items()}


def test_every_call_goes_to_a_route_of_the_app(routes):
    asked = {(call["typeProperties"]["method"], route_of(call)) for call in calls_of_the_app()}

    assert asked == {
        *(("GET", "windows"), ("POST", "windows"), ("GET", "windows/{id}"), ("POST", "windows/{id}/enrichment")),
        ("POST", "metrics"),
    }
    assert asked <= routes


def test_a_body_is_sent_as_json():
    posts = [call["typeProperties"] for call in calls_of_the_app() if "body" in call["typeProperties"]]

    assert [post["headers"] for post in posts] == [{"Content-Type": "application/json"}] * 3


def test_the_app_opens_the_window_that_the_pipeline_asks_for():
    trigger = properties("trigger", "IngestionPipelineTimeTrigger")["pipeline"]["parameters"]
    feed = properties("pipeline", "TradesStreamIngestion")["parameters"]["feed"]["defaultValue"]
    given = parameters(feed=feed, start="2026-11-22T10:00:00Z", length=trigger["length"])

    request = parse_open_request(body_of("TradesStreamIngestion", "OpenWindow", given), ("trades", "payments"))

    assert (request.feed, request.start, request.end) == ("trades", WINDOW.start, WINDOW.end)


def test_the_time_trigger_opens_each_full_hour_shortly_before_it_begins():
    found = properties("trigger", "IngestionPipelineTimeTrigger")
    times = found["typeProperties"]
    written = found["pipeline"]["parameters"]["start"]["value"]

    fires = datetime.fromisoformat(times["startTime"])
    later = re.fullmatch(
        r"@\{formatDateTime\(addMinutes\(trigger\(\)\.outputs\.windowEndTime, (\d+)\), 'yyyy-MM-ddTHH:mm:ssZ'\)\}",
        written,
    )

    begins = fires + timedelta(minutes=int(later[1]))
    assert (begins.minute, begins.second) == (0, 0)
    assert (times["frequency"], times["interval"], found["pipeline"]["parameters"]["length"]) == ("Hour", 1, "01:00:00")
    assert times["maxConcurrency"] > 1, "a run lasts longer than its hour"


def test_the_app_measures_what_the_pipeline_asks_for():
    window, table = WINDOW.id, properties("pipeline", "TradesStreamEnrichment")["parameters"]["ingestion_table"]
    given = parameters(ingestion_table=table["defaultValue"], window_id=window) | {
        "pipeline().RunId": "5e2a7c1e-9d55-4f57-9f0c-3a8f0f8a1b11",
        "pipeline().TriggerTime": "2026-11-22T11:00:07.1234567Z",
    }

    order = parse_measure_request(body_of("TradesStreamEnrichment", "Metrics-and-Alerts", given), "application/json")

    assert (order.table, order.window_id) == ("trades", window)
    assert order.run_id == "5e2a7c1e-9d55-4f57-9f0c-3a8f0f8a1b11"
    assert order.ingestion_time == datetime(2026, 11, 22, 11, 0, 7, tzinfo=UTC)


def test_the_measured_table_is_one_of_the_settings():
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]["METRICS_TABLES"]
    table = properties("pipeline", "TradesStreamEnrichment")["parameters"]["ingestion_table"]["defaultValue"]

    assert table in measured_tables(sample)


def test_every_field_that_is_read_of_an_answer_is_in_that_answer():
    runs = [RunRow(WINDOW, 1, "rerun", "active", START, START)]
    answers = {
        "OpenWindow": opened_windows([ROW], None, 100, FakeOrchestrations().status_urls),
        "ShowWindow": window_details(ROW, Rows(), Rows()) | {"enrichment": enrichment_view(runs, {}, "")},
        "ListWindows": window_list(Rows([ROW]), None),
        "WindowsOfTheDay": {"value": window_list(Rows([ROW]), None)["windows"]},
    }

    read = {
        (name, path): looked_up(answers[name], path)
        for pipeline in PIPELINES
        for text in expressions(properties("pipeline", pipeline))
        for name, path in outputs_named(text)
        if activity(pipeline, name).body["type"] != "Lookup"  # which asks the database, not the app
    }

    assert read == {
        ("OpenWindow", "windows[0].id"): WINDOW.id,
        ("OpenWindow", "windows[0].end"): "2026-11-22T11:00:00Z",
        ("ShowWindow", "state"): "closed",
        ("ShowWindow", "reason"): "",
        ("ShowWindow", "enrichment.runs"): [run_details(runs[0])],
        ("ListWindows", "windows"): [window_summary(ROW)],
        ("WindowsOfTheDay", "value"): [window_summary(ROW)],
    }


def test_the_pipeline_waits_until_the_window_is_in_one_of_the_states_that_are_final():
    waiting = activity("TradesStreamIngestion", "WaitForTheEnd").body["typeProperties"]["expression"]["value"]

    assert set(re.findall(r"'(\w+)'", waiting)) - {"end"} == set(TERMINAL)


@pytest.mark.parametrize(("state", "is_over"), [("open", False), *((state, True) for state in sorted(TERMINAL))])
def test_the_pipeline_asks_on_while_a_window_is_open_and_fails_with_what_the_app_says(state, is_over):
    pipeline = "TradesStreamIngestion"
    answer = {"state": state, "reason": "a venue: 503"}
    kept = activity(pipeline, "KeepEnd").body["typeProperties"]["value"]["value"]
    waiting = activity(pipeline, "WaitForTheEnd").body["typeProperties"]["expression"]["value"]
    failing = activity(pipeline, "FailWithTheWindow").body["typeProperties"]["expression"]["value"]

    end = evaluated(kept, activity={"ShowWindow": {"output": answer}})

    assert evaluated(waiting, variables={"end": end}) is is_over
    assert evaluated(failing, variables={"end": end}) is (state in {"failed", "missed"})
    message = activity(pipeline, "WindowFailed").body["typeProperties"]["message"]["value"]
    assert evaluated(message, variables={"end": end}) == f"The window is {state}: a venue: 503"


@pytest.mark.parametrize(("ends_in", "waits"), [(timedelta(hours=1), 3630), (timedelta(minutes=-5), 30)])
def test_the_pipeline_waits_in_one_activity_until_the_window_is_over(ends_in, waits):
    end = (datetime.now(UTC) + ends_in).strftime("%Y-%m-%dT%H:%M:%SZ")
    wait = activity("TradesStreamIngestion", "WaitForTheWindow").body["typeProperties"]["waitTimeInSeconds"]["value"]

    seconds = evaluated(wait, activity={"OpenWindow": {"output": {"windows": [{"end": end}]}}})

    assert abs(seconds - waits) < 5


def test_a_window_that_is_closed_when_it_is_asked_for_the_second_time_costs_at_most_twelve_activity_runs():
    pipeline = properties("pipeline", "TradesStreamIngestion")["activities"]
    loop = next(each for each in pipeline if each["type"] == "Until")["typeProperties"]["activities"]

    assert len(pipeline) + 2 * len(loop) + len(["WindowFailed"]) <= 12


def test_an_answer_with_a_key_in_it_stays_out_of_the_runs_history():
    opened = opened_windows([ROW], None, 100, FakeOrchestrations().status_urls)["windows"][0]

    assert "statusQueryGetUri" in opened["status"]
    assert activity("TradesStreamIngestion", "OpenWindow").body["policy"]["secureOutput"] is True
    assert "status" not in window_details(ROW, Rows(), Rows())


@pytest.mark.parametrize(("feed", "starts"), [("trades", True), ("payments", False)])
def test_the_event_trigger_wants_the_openings_of_trades(feed, starts):
    told = opening(Window(feed, WINDOW.start, WINDOW.end))
    filters = properties("trigger", "Reactive-Enrichment-Pipeline-Trigger")["typeProperties"]

    is_wanted = (
        told.event_type in filters["events"]
        and told.subject.startswith(filters["subjectBeginsWith"])
        and told.subject.endswith(filters["subjectEndsWith"])
    )

    assert is_wanted is starts
    assert filters["events"] == [OPENED]


def test_the_event_trigger_reads_what_the_event_has():
    given = properties("trigger", "Reactive-Enrichment-Pipeline-Trigger")["pipelines"][0]["parameters"]
    data = opening(WINDOW).data

    read = {name: looked_up(data, text.removeprefix("@triggerBody().event.data.")) for name, text in given.items()}

    assert read == {"window_id": WINDOW.id, "window_start": data["start"], "window_end": data["end"]}


def job_parameters():
    return activity("TradesStreamEnrichment", "Combine-with-Event-Hub-Stream").body["typeProperties"]["jobParameters"]


def test_the_job_is_given_the_parameters_that_its_definition_has_and_the_app_gives():
    jobs = yaml.safe_load((ROOT / "databricks/resources/follow_window.job.yml").read_text())["resources"]["jobs"]

    given = set(job_parameters())

    assert given == {one["name"] for one in jobs["follow_window"]["parameters"]}
    assert given == set(JOB_PARAMETERS)


def test_the_job_is_given_the_stream_that_the_app_would_name_and_the_hub_by_a_parameter():
    (stream,) = FEED.streams
    default = properties("pipeline", "TradesStreamEnrichment")["parameters"]["trades_hub"]["defaultValue"]

    given = rendered(job_parameters()["streams"]["value"], {"pipeline().parameters.trades_hub": "market-trades"})

    assert json.loads(given) == [{"name": stream.name, "hub": "market-trades", "contract": stream.contract}]
    assert default == stream.name


def test_the_job_gets_the_lookup_where_the_data_flow_writes_it_and_the_app_would():
    sink = properties("dataset", "PreparedTradesAssets")["typeProperties"]["location"]
    script = "\n".join(properties("dataflow", "PrepareForLookup")["typeProperties"]["scriptLines"])

    lookups = rendered(job_parameters()["lookups"]["value"], {"pipeline().parameters.window_id": WINDOW.id})

    assert json.loads(lookups) == {"assets": f"{sink['folderPath']}/{WINDOW.id}.parquet"}
    assert "partitionFileNames:[(concat($window_id, '.parquet'))]" in script
    assert (sink["fileSystem"], f"{sink['folderPath']}/") == (CONTAINER, folder_of(ASSETS))


def test_the_durations_are_those_of_the_settings():
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    found = properties("pipeline", "TradesStreamEnrichment")["parameters"]

    assert found["grace"]["defaultValue"] == values["TRADES_GRACE"]
    assert found["drain_limit"]["defaultValue"] == values["DRAIN_LIMIT"]


def test_the_data_flow_makes_the_lookups_columns_with_the_apps_types():
    script = "\n".join(properties("dataflow", "PrepareForLookup")["typeProperties"]["scriptLines"])

    unrolled = re.findall(r"^\s+(\w+) = data\.(\w+)", script, re.MULTILINE)
    amounts = re.findall(r"(\w+) = toDecimal\((\w+), (\d+), (\d+)\)", script)

    assert unrolled == [(name, name) for name in SCHEMA.names]
    assert {name for name, *_ in amounts} == {field.name for field in SCHEMA if field.type == AMOUNT}
    assert all(name == source for name, source, *_ in amounts)
    assert {(int(digits), int(scale)) for *_, digits, scale in amounts} == {(AMOUNT.precision, AMOUNT.scale)}
    assert "rank = toInteger(rank)" in script


def test_the_data_flow_keeps_assets_with_a_max_supply_and_sorts_them_by_id():
    script = "\n".join(properties("dataflow", "PrepareForLookup")["typeProperties"]["scriptLines"])

    assert "foldDown(unroll(data)," in script
    assert "filter(!isNull(maxSupply)) ~> MaxSupplyFilter" in script
    assert "sort(asc(id, true)) ~> SortByAssetID" in script
