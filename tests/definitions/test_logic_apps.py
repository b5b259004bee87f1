"""The Logic App takes every alert that the app builds, and tells each kind in its own words."""

import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.logic_app.connectors import Connectors
from emulators.logic_app.outbox import Outbox
from emulators.logic_app.reading import read_workflow
from emulators.logic_app.runs import run_workflow
from emulators.logic_app.schemas import complaints
from emulators.logic_app.tables import Tables
from shared.domain.volumes.alert import AlertKind, PastAlerts, RunIncident, decide_alert, decide_incident
from shared.domain.volumes.measurement import Limits, Measurement, MeasureRequest
from tests.architecture.tree import ROOT

PATH = ROOT / "definitions/logic_apps/ingestion_alert/workflow.json"
DOCUMENT = json.loads(PATH.read_bytes())
SCHEMA = DOCUMENT["definition"]["triggers"]["manual"]["inputs"]["schema"]
NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
QUIET = timedelta(hours=6)
WINDOW = "trades-20261122T100000Z"
KNOWN, UNKNOWN = Limits(1000, 950.0, 5700.0, 1900.0, 9), Limits(1000, based_on=2)
SEED = {"rows_count_delta": 12, "ingestion_date": "2026-11-22", "ingestion_time": "10:00:00"}
REQUIRED = ["alert_id", "kind", "cause", "table", "run_id", "ingestion_date", "ingestion_time", "message"]


def measured(verdict, delta=12, limits=KNOWN, window=WINDOW, run_id="run-1"):
    request = MeasureRequest("trades", run_id, NOW - timedelta(minutes=5), window)
    alarmed = PastAlerts({"low": NOW - timedelta(hours=7)})
    past = alarmed if verdict == "normal" else PastAlerts()
    measurement = Measurement(request, delta, 2034, verdict, limits, "none", NOW)
    return decide_alert(measurement, past, name="ingestion", quiet=QUIET)[1]


def incident(kind, **more):
    told = RunIncident(
        kind, "trades", "ingestion", "run-1", NOW - timedelta(minutes=5), "the <cluster> & its disk", **more
    )
    return decide_incident(told, PastAlerts(), NOW, QUIET)


ALERTS = {
    "low": measured("low"),
    "low, nothing learnt": measured("low", limits=UNKNOWN, window=None),
    "high": measured("high", 9000),
    "negative": measured("negative", -7, window=None),
    "recovery": measured("normal", 1900),
    "new level": measured("new_level", 9000),
    "run failed": incident("run_failed", window_id=WINDOW),
    "run failed, no window": incident("run_failed"),
    "window lost": incident("window_lost", window_id=WINDOW),
    "spill dead": incident("spill_dead", window_id=WINDOW),
    "stream alert": incident("stream_alert"),
    "unbalanced": incident("unbalanced", window_id=WINDOW, counts=(12, 2034)),
}


@pytest.fixture
def connectors(tmp_path):
    tables = Tables(tmp_path / "tables.sqlite")
    yield Connectors(tables, Outbox(tmp_path, lambda: NOW))
    tables.close()


def wire(alert):
    """Give an alert's body as it comes over the wire."""
    return json.loads(json.dumps(dict(alert.body)))


def test_the_file_is_a_workflow_definition():
    schema = DOCUMENT["definition"]["$schema"]

    assert schema.startswith("https://schema.management.azure.com/providers/Microsoft.Logic/schemas/")
    assert schema.endswith("/workflowdefinition.json#")
    assert set(DOCUMENT) == {"definition", "parameters"}


@pytest.mark.parametrize("name", ALERTS)
def test_the_trigger_takes_every_alert_that_the_app_builds(name):
    assert list(complaints(wire(ALERTS[name]), SCHEMA)) == []


@pytest.mark.parametrize("missing", REQUIRED)
def test_the_trigger_refuses_a_body_that_lacks_what_is_required(missing):
    body = {name: value for name, value in wire(ALERTS["low"]).items() if name != missing}

    assert list(complaints(body, SCHEMA)) == [f"Required properties are missing from object: {missing}."]


def test_the_schema_has_the_fields_of_alerts_and_no_others():
    assert set(SCHEMA["properties"]) == {name for alert in ALERTS.values() for name in alert.body}
    assert set(SCHEMA["properties"]["limits"]["properties"]) == {field.name for field in fields(Limits)}
    assert SCHEMA["required"] == REQUIRED


def test_the_seeds_four_fields_have_its_names_and_types():
    body = wire(ALERTS["low"])

    assert {name: body[name] for name in SEED} == SEED
    assert body["current_ingestion_table_state"] == 2034
    kinds = {name: SCHEMA["properties"][name]["type"] for name in (*SEED, "current_ingestion_table_state")}
    assert list(kinds.values()) == ["integer", "string", "string", "integer"]


def test_every_kind_of_alert_has_a_case_and_a_mail():
    switch = DOCUMENT["definition"]["actions"]["Is_it_new"]["cases"]["New"]["actions"]["Tell_by_kind"]
    kinds = list(get_args(AlertKind.__value__))

    assert SCHEMA["properties"]["kind"]["enum"] == kinds
    assert [case["case"] for case in switch["cases"].values()] == kinds


def test_expressions_read_only_what_the_schema_has():
    text = json.dumps(DOCUMENT["definition"]["actions"])

    read = set(re.findall(r"triggerBody\(\)\?\['(\w+)'\]", text))
    limits = set(re.findall(r"triggerBody\(\)\?\['limits'\]\?\['(\w+)'\]", text))

    assert read <= set(SCHEMA["properties"])
    assert limits == set(SCHEMA["properties"]["limits"]["properties"])


def test_every_connection_and_parameter_is_used():
    text = json.dumps(DOCUMENT["definition"]["actions"])

    assert set(re.findall(r"\['(\w+)'\]\['connectionId'\]", text)) == set(
        DOCUMENT["parameters"]["$connections"]["value"]
    )
    assert set(re.findall(r"parameters\('([$\w]+)'\)", text)) == set(DOCUMENT["definition"]["parameters"])


def test_repeated_ids_can_not_race_each_other():
    trigger = DOCUMENT["definition"]["triggers"]["manual"]

    assert trigger["runtimeConfiguration"]["concurrency"]["runs"] == 1


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_becomes_one_mail_with_its_message_and_its_numbers(name, connectors):
    workflow, body = read_workflow(PATH), wire(ALERTS[name])

    replies = [run_workflow(workflow, connectors, body, NOW.isoformat()).reply for _ in range(2)]

    (mail,) = connectors.outbox.mails()
    assert [(reply.status, reply.body["status"]) for reply in replies] == [(200, "sent"), (200, "repeated")]
    assert "@{" not in mail.subject + mail.text
    told = " ".join(mail.text.split())
    for words in (body["message"], f"Run: {body['run_id']}", f"Window: {body['window'] or 'none'}", "Date: 2026-11-22"):
        assert words in told
    assert (mail.subject == "Ingestion Issues") is (body["kind"] == "alert")


@given(st.from_regex(r"[A-Za-z0-9._:/+=-]{1,128}", fullmatch=True))
def test_every_run_id_that_the_app_takes_can_be_remembered(run_id):
    alert = measured("low", run_id=run_id)

    assert list(complaints(wire(alert), SCHEMA)) == []
    assert not set(alert.id.replace("/", "|")) & set("/\\#?'%")
