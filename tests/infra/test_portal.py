"""What the portal shows and whom it calls, as Terraform would make it."""

import json
import re

import pytest

from infra.checks import kql
from infra.checks.terraform import ROOT

QUERIES = kql.queries()
OF_THE_SEED = {
    "microsoft.eventhub/namespaces--IncomingRequests",
    "microsoft.eventhub/namespaces--IncomingMessages",
    "microsoft.eventhub/namespaces--OutgoingMessages",
    "microsoft.web/sites--MemoryWorkingSet",
    "microsoft.storage/storageaccounts--Transactions",
    "microsoft.compute/virtualmachines--Percentage CPU",
    "microsoft.compute/virtualmachines--Available Memory Bytes",
}
"""What the dashboard had that this project began with; executions of functions have other names by plan."""


@pytest.fixture
def items(state):
    """The items of the workbook by their kind: 3 is a query, 9 has parameters, 10 is a chart of metrics."""
    found = {}
    for each in json.loads(state.one("application_insights_workbook")["data_json"])["items"]:
        found.setdefault(each["type"], []).append(each)
    return found


@pytest.fixture
def rules(state):
    return {
        address.partition('"')[2].rstrip('"]'): values
        for address, values in state.resources.items()
        if address.startswith("azurerm_monitor_scheduled_query_rules_alert_v2.")
    }


@pytest.fixture
def alerts(state, rules):
    """Every rule of whatever kind."""
    return [*rules.values(), *state.all_of("monitor_metric_alert")]


def anchors(document):
    """Give the anchors of a document's headings as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", (ROOT / document).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_workbook_shows_each_query_as_its_file_has_it(items):
    shown = {each["name"]: each["content"]["query"] for each in items[3]}

    assert shown == {
        name.removeprefix("queries/"): text for name, text in QUERIES.items() if name.startswith("queries/")
    }


def test_the_workbooks_queries_ask_the_workspace_for_the_time_that_is_chosen(items, state):
    workspace = state.one("log_analytics_workspace")["id"]
    (parameters,) = items[9]
    names = [each["name"] for each in parameters["content"]["parameters"]]

    for each in items[3]:
        assert each["content"]["crossComponentResources"] == [workspace]
        assert each["content"]["timeContextFromParameter"] in names
    assert {each["content"]["timeContextFromParameter"] for each in items[10]} <= set(names)


def test_the_names_of_the_workbooks_items_are_its_own(items):
    names = [each["name"] for kind in items.values() for each in kind]

    assert len(names) == len(set(names))


def test_the_workbook_has_the_metrics_of_the_seeds_dashboard(items):
    shown = {each["metric"] for item in items[10] for each in item["content"]["metrics"]}

    assert shown >= OF_THE_SEED


def test_executions_of_functions_are_those_of_the_plan(states):
    def executions(run):
        return set(re.findall(r"sites--(\w+Count)", states[run].one("application_insights_workbook")["data_json"]))

    assert executions("default") == {"OnDemandFunctionExecutionCount", "AlwaysReadyFunctionExecutionCount"}
    assert executions("premium") == {"FunctionExecutionCount"}


def test_the_machines_of_clusters_are_found_in_the_group_that_databricks_makes(states):
    state = states["default"]
    group = state.one("databricks_workspace")["managed_resource_group_name"]
    head, *_ = json.loads(state.one("application_insights_workbook")["data_json"])["items"]
    (query,) = [each["query"] for each in head["content"]["parameters"] if each["name"] == "Machines"]

    assert f"resourceGroup =~ '{group}'" in query
    assert kql.analysed({"machines": query}, kql.RESOURCES)["machines"].problems == []


def test_each_rule_asks_as_its_file_does(rules, state):
    asked = {name: each["criteria"][0]["query"] for name, each in rules.items()}

    assert asked == {name.removeprefix("rules/"): text for name, text in QUERIES.items() if name.startswith("rules/")}
    assert {tuple(each["scopes"]) for each in rules.values()} == {(state.one("log_analytics_workspace")["id"],)}


def test_a_rule_fires_where_there_is_a_row(rules):
    for each in rules.values():
        (criteria,) = each["criteria"]
        assert (criteria["time_aggregation_method"], criteria["operator"], criteria["threshold"]) == (
            "Count",
            "GreaterThan",
            0,
        )


def test_a_state_ends_by_itself_and_an_event_is_told_once(rules):
    for each in rules.values():
        muted = each["mute_actions_after_alert_duration"]
        assert muted == (None if each["auto_mitigation_enabled"] else each["window_duration"])


def test_housekeeping_which_comes_every_five_minutes_is_within_what_a_rule_looks_at(rules):
    of_gauges = [each for name, each in rules.items() if "arg_max" in QUERIES[f"rules/{name}"]]

    assert {each["window_duration"] for each in of_gauges} == {"PT15M"}
    assert {each["evaluation_frequency"] for each in rules.values()} == {"PT5M"}


def test_every_alert_reaches_the_person_and_says_what_to_do(alerts, state):
    group = state.one("monitor_action_group")
    (mail,) = group["email_receiver"]

    assert mail["email_address"] == "operations@example.com"
    for each in alerts:
        (action,) = each["action"]
        assert action.get("action_groups", [action.get("action_group_id")]) == [group["id"]]
        document, _, anchor = re.search(r"\. What to do: (docs/runbook\.md)(#)([\w-]+)$", each["description"]).groups()
        assert anchor in anchors(document)


def test_the_deployments_page_names_every_rule(alerts):
    page = (ROOT / "docs" / "deploy.md").read_text()

    assert [
        each["name"] for each in alerts if f"`{each['name'].removeprefix('alert-ingest-trial-')}`" not in page
    ] == []


def test_from_outside_only_what_needs_no_key_is_asked(states):
    source = (ROOT / "blueprints" / "health.py").read_text()
    (test,) = states["default"].all_of("application_insights_standard_web_test")

    assert test["request"][0]["url"].startswith("https://")
    assert test["request"][0]["url"].endswith("/api/health/live")
    assert '@bp.route(route="health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)' in source
    watched = states["default"].at("monitor_metric_alert.live[0]")
    (criteria,) = watched["application_insights_web_test_location_availability_criteria"]
    assert criteria["web_test_id"] == test["id"]
    assert criteria["failed_location_count"] < len(test["geo_locations"])


def test_a_private_app_is_not_asked_from_outside(states):
    assert list(states["private"].all_of("application_insights_standard_web_test")) == []
