"""The functions of the app as Azure's worker indexes them, and the names by which they call each other."""

import ast
import importlib
import json
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT, modules, syntax

CALLS = {
    "call_activity": "activityTrigger",
    "call_activity_with_retry": "activityTrigger",
    "call_sub_orchestrator": "orchestrationTrigger",
    "call_sub_orchestrator_with_retry": "orchestrationTrigger",
    "start_new": "orchestrationTrigger",
    "DurableStep": "activityTrigger",
}
ASKED = "shared/flows/steps.py"  # carries out the steps of others: the activity's name is the step's

INGESTION = {
    *("begin_window", "ingest_slice", "close_window", "fail_window"),
    *("publish_opening", "write_marker", "publish_closing"),
}
ENRICHMENT = {"claim_enrichment", "write_lookup", "submit_run", "poll_run", "give_up_run", "measure_run"}
ACTIVITIES = INGESTION | ENRICHMENT
ORCHESTRATORS = {"ingest_window", "ingest_leg", "run_slice", "enrich_window", "complete_step", "ask_on"}
EVENTS = {"start_enrichment"}
TIMERS = {
    "open_due_windows": "%WINDOW_TIMER%",
    "retry_pending_alerts": "30 * * * * *",
    "mail_view_alerts": "15 * * * * *",
    "export_sql_rows": "40 * * * * *",
    "keep_in_order": "0 */5 * * * *",
    "write_daily_lookups": "10 */5 * * * *",
    "write_reference_data": "30 */5 * * * *",
    "bring_gold_up_to_date": "20 */5 * * * *",
}
HUBS = {
    "promote_points": ("%GPS_HUB%", "promotions"),
    "push_promotions": ("%PROMOTIONS_HUB%", "push"),
    "alert_of_pageviews": ("%PAGEVIEWS_HUB%", "alerts"),
    "alert_of_stars": ("%STARS_HUB%", "alerts"),
}
QUEUES = {"redrive_spill": ("spill", "AzureWebJobsStorage")}
ROUTES = {
    "open_windows": ("POST", "windows"),
    "get_windows": ("GET", "windows"),
    "get_window": ("GET", "windows/{id}"),
    "stop_window": ("DELETE", "windows/{id}"),
    "rerun_enrichment": ("POST", "windows/{id}/enrichment"),
    "get_spill": ("GET", "spill"),
    "redrive_now": ("POST", "spill/redrive"),
    "discard_spill": ("POST", "spill/discard"),
    "post_metrics": ("POST", "metrics"),
    "get_metrics": ("GET", "metrics"),
    "get_health": ("GET", "health"),
    "get_liveness": ("GET", "health/live"),
    "begin_drain": ("POST", "drain"),
    "get_drain": ("GET", "drain"),
    "end_drain": ("DELETE", "drain"),
}
STARTERS = {
    *("keep_in_order", "open_due_windows", "bring_gold_up_to_date"),
    *("open_windows", "stop_window", "start_enrichment", "rerun_enrichment"),
}


@pytest.fixture(scope="module")
def bindings():
    """Give the bindings of each function by type, indexed in a process of its own with an empty environment."""
    command = [sys.executable, "-B", "-m", "tests.architecture.index_app"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    indexed = json.loads(done.stdout)
    return {name: {binding["type"]: binding for binding in listed} for name, listed in indexed.items()}


def with_binding(bindings, kind):
    return {name: by_type[kind] for name, by_type in bindings.items() if kind in by_type}


def test_the_worker_indexes_exactly_the_functions_of_the_app(bindings):
    assert set(bindings) == ACTIVITIES | ORCHESTRATORS | set(TIMERS) | set(ROUTES) | set(QUEUES) | set(HUBS) | EVENTS


def test_windows_are_opened_as_the_settings_say_and_pending_alerts_are_sent_each_minute(bindings):
    schedules = {name: binding["schedule"] for name, binding in with_binding(bindings, "timerTrigger").items()}

    assert schedules == TIMERS


def test_queues_wake_their_functions_over_the_storage_of_the_app(bindings):
    queues = {
        name: (binding["queueName"], binding["connection"])
        for name, binding in with_binding(bindings, "queueTrigger").items()
    }

    assert queues == QUEUES


def test_batches_of_hubs_are_read_as_bytes_each_by_its_own_consumer_group(bindings):
    triggers = with_binding(bindings, "eventHubTrigger")
    readers = {name: (binding["eventHubName"], binding["consumerGroup"]) for name, binding in triggers.items()}
    how = {(binding["connection"], binding["cardinality"], binding["dataType"]) for binding in triggers.values()}

    assert readers == HUBS
    assert how == {("EVENT_HUBS", "MANY", "BINARY")}


def test_http_functions_have_their_routes_and_methods(bindings):
    routes = {
        name: (*binding["methods"], binding["route"]) for name, binding in with_binding(bindings, "httpTrigger").items()
    }

    assert routes == ROUTES


def test_every_http_function_but_that_of_liveness_asks_for_a_function_key(bindings):
    levels = {name: binding["authLevel"].lower() for name, binding in with_binding(bindings, "httpTrigger").items()}

    assert levels == dict.fromkeys(ROUTES, "function") | {"get_liveness": "anonymous"}


def test_durable_functions_are_triggered_as_activities_and_orchestrations(bindings):
    assert set(with_binding(bindings, "activityTrigger")) == ACTIVITIES
    assert set(with_binding(bindings, "orchestrationTrigger")) == ORCHESTRATORS


def test_whoever_starts_or_stops_orchestrations_is_given_the_client(bindings):
    assert set(with_binding(bindings, "durableClient")) == STARTERS


def called_names():
    """Give where, by which verb and by which name durable functions are called in the app."""
    for module in modules("blueprints", "shared", "function_app.py"):
        for node in ast.walk(syntax(module)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
                continue
            verb = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if verb in CALLS and not (module == ASKED and verb == "call_activity"):
                yield f"{module}:{node.lineno}", verb, name_of(module, node)


def name_of(module, call):
    """Resolve the called name: a literal, or a constant of the module; anything else can't be checked and is None."""
    given = [*call.args, *(word.value for word in call.keywords if word.arg in {"name", "orchestration_function_name"})]
    match given[:1]:
        case [ast.Constant(value=str(name))]:
            return name
        case [ast.Name(id=constant)]:
            value = getattr(importlib.import_module(module.removesuffix(".py").replace("/", ".")), constant, None)
            return value if isinstance(value, str) else None
    return None


def test_every_called_name_is_a_function_of_the_right_kind(bindings):
    wrong = [
        f"{place} {verb} {name!r}" for place, verb, name in called_names() if CALLS[verb] not in bindings.get(name, {})
    ]

    assert wrong == []


def test_every_activity_and_orchestrator_is_called_by_somebody():
    assert {name for _, _, name in called_names()} == ACTIVITIES | ORCHESTRATORS
