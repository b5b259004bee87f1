"""The Logic App of the alert as it is deployed."""

import json

import pytest

from infra.checks.terraform import ROOT

FILE = json.loads((ROOT / "definitions" / "logic_apps" / "ingestion_alert" / "workflow.json").read_text())


@pytest.fixture
def alert(states):
    return states["default"].at("resource_group_template_deployment.alert")


@pytest.fixture
def resources(alert):
    """The resources of its template, by kind and name."""
    listed = json.loads(alert["template_content"])["resources"]
    return {(each["type"].rpartition("/")[2], each["name"].rpartition("/")[2]): each for each in listed}


def test_its_definition_is_the_one_that_the_tests_run_and_is_handed_on_as_it_is(alert):
    given = json.loads(alert["parameters_content"])

    assert given["definition"]["value"] == FILE["definition"]


def test_it_reaches_what_the_definition_names(alert, resources, states):
    connections = json.loads(alert["parameters_content"])["connections"]["value"]
    workflow = next(each for (kind, _), each in resources.items() if kind == "workflows")

    assert set(connections) == set(FILE["parameters"]["$connections"]["value"])
    assert {name for kind, name in resources if kind == "connections"} == set(connections)
    assert all(each["connectionId"].endswith(f"/connections/{name}") for name, each in connections.items())
    assert set(workflow["properties"]["parameters"]) == set(FILE["parameters"])
    host = states["default"].at("storage_account.host")["name"]
    assert workflow["properties"]["parameters"]["storage_account"]["value"] == host


def test_the_table_is_reached_as_its_own_identity_and_is_there(resources):
    connection = resources["connections", "azuretables"]

    assert connection["properties"]["parameterValueSet"]["name"] == "managedIdentityAuth"
    assert ("tables", FILE["definition"]["parameters"]["alerts_table"]["defaultValue"]) in resources


def test_its_address_goes_into_the_secret_that_the_app_reads(resources, state):
    name = state.app_settings["ALERT_INGESTION_URL"].removesuffix(")").rpartition("/")[2]

    assert "listCallbackUrl" in resources["secrets", name]["properties"]["value"]
