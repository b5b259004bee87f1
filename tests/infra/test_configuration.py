"""The Terraform configuration as Terraform's own program reads it, against the true schema of the provider."""

import json
import re

import pytest

from infra.checks.terraform import ROOT
from shared.settings.keys import settings_of
from tests.infra import judging


def test_it_is_formatted(configuration):
    done = configuration.run("fmt", "-check", "-recursive", "-diff")

    assert (done.code, done.output.strip()) == (0, "")


def test_it_is_valid(configuration):
    done = configuration.run("validate", "-no-color")

    assert done.code == 0, done.output


def test_its_own_tests_pass(tested):
    said = [message["@message"] for message in tested.messages() if message["type"] in {"diagnostic", "test_summary"}]

    assert tested.code == 0, "\n".join(said)


def test_the_app_reads_its_settings_in_every_choice_of_options(state):
    assert judging.wrong_settings(state) == []


def test_flex_consumption_is_given_no_setting_that_its_configuration_has(states):
    assert "FUNCTIONS_WORKER_RUNTIME" not in states["default"].app_settings
    assert states["premium"].app_settings["FUNCTIONS_WORKER_RUNTIME"] == "python"


def test_who_may_do_what_is_what_the_code_needs(states):
    needed, flex = set(judging.NEEDED), set(judging.ON_FLEX)

    assert judging.wrong_roles(states["default"], needed | flex) == []
    assert judging.wrong_roles(states["premium"], needed | set(judging.ON_PREMIUM)) == []
    options = (judging.OF_PROMOTIONS, judging.OF_CAPTURE, judging.OF_SCHEDULER, judging.OF_ANALYTICS)
    assert judging.wrong_roles(states["everything"], needed | flex | set().union(*options)) == []


def test_the_code_that_needs_a_role_is_there():
    options = (judging.OF_PROMOTIONS, judging.OF_CAPTURE, judging.OF_SCHEDULER, judging.OF_ANALYTICS)
    tables = (judging.NEEDED, judging.ON_FLEX, judging.ON_PREMIUM, *options)

    assert [path for table in tables for path in table.values() if not (ROOT / path).is_file()] == []


def test_every_right_has_its_reason_and_none_is_over_resources_themselves(state):
    for each in state.all_of("role_assignment"):
        assert each["description"].endswith(".")
        assert each["role_definition_name"] not in {"Owner", "Contributor", "User Access Administrator"}


def test_every_hub_that_the_app_sends_to_exists(state):
    wanted = {each.default for name, each in settings_of(judging.FEEDS).items() if name.endswith("_HUB")}

    assert {each["name"] for each in state.all_of("eventhub")} == wanted


def test_every_consumer_group_that_a_trigger_reads_by_exists(state):
    triggers = "\n".join(path.read_text() for path in (ROOT / "blueprints").glob("*.py"))
    read = re.findall(r'event_hub_name="%([A-Z]+)_HUB%".*?consumer_group="(\w+)"', triggers, re.DOTALL)

    made = {(each["eventhub_name"], each["name"]) for each in state.all_of("eventhub_consumer_group")}

    assert {(hub.lower(), group) for hub, group in read} <= made
    assert {hub for hub, group in made if group == "lakehouse"} == {each["name"] for each in state.all_of("eventhub")}


def test_every_container_that_the_app_writes_to_exists(state):
    sources = [path.read_text() for path in (ROOT / "shared" / "clients" / "storage").glob("*.py")]
    written = {name for text in sources for name in re.findall(r'^CONTAINER: Final = "([a-z-]+)"', text, re.MULTILINE)}

    made = {each["name"] for each in state.all_of("storage_container")}

    assert {"reference", "spill", "lake"} <= written <= made
    assert {"capture", "checkpoints"} <= made


def test_outputs_that_are_named_like_a_setting_have_its_value(state):
    named = {name: value for name, value in state.outputs.items() if name in judging.SETTINGS}

    assert set(named) == {
        "DATABRICKS__host", "EVENT_GRID__topicEndpoint", "EVENT_HUBS__fullyQualifiedNamespace", "FEEDS",
        "LAKE__accountName", "SQL__url",
    }  # fmt: skip
    assert named.items() <= state.app_settings.items()


def test_no_service_takes_a_key_where_an_identity_will_do(state):
    assert all(each["shared_access_key_enabled"] is False for each in state.all_of("storage_account"))
    assert state.one("eventhub_namespace")["local_authentication_enabled"] is False
    assert state.one("eventgrid_topic")["local_auth_enabled"] is False
    assert state.one("application_insights")["local_authentication_disabled"] is True
    assert state.one("mssql_server")["azuread_administrator"][0]["azuread_authentication_only"] is True
    assert state.one("key_vault")["rbac_authorization_enabled"] is True
    assert all(each["local_authentication_disabled"] for each in state.all_of("cosmosdb_account"))


def test_terraform_writes_no_secret(state):
    assert list(state.all_of("key_vault_secret")) == []
    assert not [name for name in state.outputs if re.search(r"key$|secret|password|token", name, re.IGNORECASE)]


def test_the_subscription_waits_for_the_code_and_starts_enrichment_by_openings_alone(states):
    assert list(states["default"].all_of("eventgrid_event_subscription")) == []

    made = states["published"].one("eventgrid_event_subscription")

    assert made["azure_function_endpoint"][0]["function_id"].endswith("/functions/start_enrichment")
    assert "def start_enrichment(" in (ROOT / "blueprints" / "enrichment.py").read_text()
    event = json.loads((ROOT / "contracts" / "documents" / "window_event.v1.schema.json").read_text())
    assert made["included_event_types"][0] in json.dumps(event)
    assert made["subject_filter"][0]["subject_begins_with"] in json.dumps(event)
    assert made["storage_blob_dead_letter_destination"][0]["storage_blob_container_name"] == "dead-letters"


def test_a_private_deployment_lets_nobody_in_from_outside(states):
    private = states["private"]

    assert {each["network_rules"][0]["default_action"] for each in private.all_of("storage_account")} == {"Deny"}
    for kind in ("eventhub_namespace", "eventgrid_topic", "key_vault", "mssql_server", "databricks_workspace"):
        assert private.one(kind)["public_network_access_enabled"] is False
    assert list(private.all_of("mssql_firewall_rule")) == []
    app = private.one("function_app_flex_consumption")
    assert app["virtual_network_subnet_id"] == private.at("subnet.app[0]")["id"]
    rules = app["site_config"][0]
    assert rules["ip_restriction_default_action"] == "Deny"
    assert {each["service_tag"] for each in rules["ip_restriction"]} == {"AzureEventGrid", "DataFactory"}


def test_a_private_deployment_reaches_every_service_by_an_endpoint_of_its_own(states):
    private = states["private"]
    reached = {
        each["private_service_connection"][0]["private_connection_resource_id"]
        for each in private.all_of("private_endpoint")
    }
    kinds = (
        "eventhub_namespace",
        "eventgrid_topic",
        "key_vault",
        "mssql_server",
        "databricks_workspace",
        "cosmosdb_account",
    )
    services = [private.one(kind)["id"] for kind in kinds] + [each["id"] for each in private.all_of("storage_account")]

    assert reached == set(services)


@pytest.mark.parametrize("run", ["default", "premium"])
def test_nothing_of_a_network_is_made_where_none_is_asked_for(states, run):
    assert list(states[run].all_of("virtual_network")) == []
    assert list(states[run].all_of("private_endpoint")) == []


def test_no_placeholder_of_the_definitions_is_deployed(state):
    factory = (ROOT / "definitions" / "data_factory" / "factory" / "reactive-ingestion.json").read_text()
    texts = "\n".join(path.read_text() for path in (ROOT / "definitions").rglob("*.json"))
    placeholders = set(re.findall(r"\b[a-z-]+-name\b|storageaccountname|00000000-0000-0000-0000-000000000000", texts))

    deployed = json.dumps(
        [each for kind in ("data_factory", "resource_group_template_deployment") for each in state.all_of(kind)]
    )

    assert {"function-app-name", "topic-name"} <= placeholders
    assert "functionAppUrl" in factory
    assert {placeholder for placeholder in placeholders if placeholder in deployed} == set()
