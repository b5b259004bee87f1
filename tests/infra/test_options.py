"""Two options: orchestrations in the Durable Task Scheduler, and the job of Stream Analytics."""

import inspect
import json
import re

import pytest
from azure.mgmt.durabletask import DurableTaskMgmtClient, models

from infra.checks.terraform import ROOT
from shared.settings import values

ANALYTICS = ROOT / "definitions" / "stream_analytics"
FILE = json.loads((ANALYTICS / "job.json").read_text())["resources"][0]["properties"]
MODELS = {
    "Microsoft.DurableTask/schedulers": models.Scheduler,
    "Microsoft.DurableTask/schedulers/taskHubs": models.TaskHub,
}

POLICIES = (
    *("compatibilityLevel", "dataLocale", "outputErrorPolicy", "contentStoragePolicy", "eventsOutOfOrderPolicy"),
    *("eventsLateArrivalMaxDelayInSeconds", "eventsOutOfOrderMaxDelayInSeconds"),
)


@pytest.fixture
def everything(states):
    return states["everything"]


@pytest.fixture
def scheduler(everything):
    """The resources of the scheduler's template by their type."""
    template = everything.at("resource_group_template_deployment.scheduler[0]")["template_content"]
    return {each["type"]: each for each in json.loads(template)["resources"]}


def names_of(model):
    return {field._rest_name for field in type(model)._attr_to_rest_field.values()}


@pytest.mark.parametrize("kind", MODELS)
def test_azures_client_knows_all_of_the_scheduler(scheduler, kind):
    resource = scheduler[kind]
    model = MODELS[kind](resource)

    assert set(resource) - {"apiVersion", "dependsOn"} <= names_of(model)
    assert set(resource["properties"]) <= names_of(model.properties)
    assert resource["apiVersion"] in inspect.getdoc(DurableTaskMgmtClient)


def test_the_scheduler_is_billed_by_what_it_does_and_lets_in_whoever_has_a_role(scheduler):
    properties = models.Scheduler(scheduler["Microsoft.DurableTask/schedulers"]).properties

    assert models.SchedulerSkuName(properties.sku.name) is models.SchedulerSkuName.CONSUMPTION
    assert properties.ip_allowlist == ["0.0.0.0/0"]


def test_the_task_hub_is_the_one_that_the_app_is_told_of(scheduler, everything):
    hub = scheduler["Microsoft.DurableTask/schedulers/taskHubs"]["name"].rpartition("/")[2]

    assert hub == everything.app_settings["TASKHUB_NAME"] == values.task_hub(hub)


def test_the_host_reaches_the_scheduler_as_the_apps_identity_by_the_setting_that_its_host_json_names(
    everything, package
):
    named = package("scheduler")["extensions"]["durableTask"]["storageProvider"]["connectionStringName"]
    identity = everything.one("user_assigned_identity")["client_id"]

    parts = dict(each.split("=", 1) for each in everything.app_settings[named].split(";"))

    assert parts.pop("Endpoint").startswith("https://")
    assert parts == {"Authentication": "ManagedIdentity", "ClientID": identity}


@pytest.mark.parametrize("run", ["default", "premium", "private", "published"])
def test_nothing_of_the_options_is_made_where_none_is_asked_for(states, run):
    assert "DURABLE_TASK_SCHEDULER_CONNECTION_STRING" not in states[run].app_settings
    made = [address for address in states[run].resources if "scheduler" in address or "stream_analytics" in address]
    assert made == []
    assert "stream-analytics" not in {each["name"] for each in states[run].all_of("eventhub_consumer_group")}


def test_the_backend_that_is_packed_is_the_one_that_is_provisioned(states):
    assert {states[run].outputs["DURABLE_BACKEND"] for run in ("default", "premium", "private")} == {"storage"}
    assert states["everything"].outputs["DURABLE_BACKEND"] == "scheduler"
    given = json.loads((ROOT / "infra" / "main.tfvars.json").read_text())["durable_backend"]
    read = (ROOT / "infra" / "hooks" / "package.sh").read_text()
    assert given.replace("=", ":-") in read


def test_the_job_has_the_queries_and_policies_of_its_file(everything):
    job = everything.one("stream_analytics_job")

    assert job["transformation_query"] == (ANALYTICS / "shop_analytics.asaql").read_text()
    assert job["streaming_units"] == FILE["transformation"]["properties"]["streamingUnits"]
    for name in POLICIES:
        assert job[re.sub(r"(?=[A-Z])", "_", name).lower()] == FILE[name], name


def test_the_job_reads_the_inputs_of_its_file_and_each_hub_by_a_group_of_its_own(everything):
    hubs = {each["name"]: each for each in everything.all_of("stream_analytics_stream_input_eventhub_v2")}
    lookups = {each["name"]: each for each in everything.all_of("stream_analytics_reference_input_blob")}
    sources = {each["name"]: each["properties"]["datasource"]["properties"] for each in FILE["inputs"]}
    groups = {(each["eventhub_name"], each["name"]) for each in everything.all_of("eventhub_consumer_group")}

    assert {*hubs, *lookups} == set(sources)
    assert all(each["eventhub_name"] == sources[name]["eventHubName"] for name, each in hubs.items())
    assert {(each["eventhub_name"], each["eventhub_consumer_group_name"]) for each in hubs.values()} <= groups
    assert {each["eventhub_consumer_group_name"] for each in hubs.values()}.isdisjoint({"alerts", "lakehouse"})
    assert all(each["path_pattern"] == sources[name]["pathPattern"] for name, each in lookups.items())
    assert {each["storage_container_name"] for each in lookups.values()} == {"lake"}


def test_the_job_writes_what_each_query_finds_and_has_no_key(everything):
    outputs = list(everything.all_of("stream_analytics_output_blob"))
    kinds = ("stream_input_eventhub_v2", "reference_input_blob", "output_blob")
    parts = [each for kind in kinds for each in everything.all_of(f"stream_analytics_{kind}")]

    written = re.findall(r"INTO \[([\w-]+)\]", (ANALYTICS / "shop_analytics.asaql").read_text())
    assert {each["name"] for each in outputs} == set(written)
    assert {each["path_pattern"].partition("/")[0] for each in outputs} == set(written)
    assert {each["authentication_mode"] for each in parts} == {"Msi"}
    assert not any(each.get("storage_account_key") or each.get("shared_access_policy_key") for each in parts)
