"""The bundle as its targets would deploy it: Databricks' own models accept it, and what it names exists."""

import json
import re

import pytest
import yaml

from check_bundle import problems_of_target, problems_of_wheel
from hub_stage import ROOT
from lakehouse.conformed import dim_clientes
from lakehouse.lake.naming import LAYERS

DECLARED = yaml.safe_load((ROOT / "databricks/databricks.yml").read_text())
PARAMETERS = json.loads((ROOT / "contracts/documents/job_parameters.v1.schema.json").read_text())["properties"]
TARGETS = ("local", "dev", "prod")
FROM_OUTSIDE = [
    *("event_hubs_namespace", "tenant_id", "client_id", "app_principal", "pii_reader", "catalog", "storage_account"),
]

each_target = pytest.mark.parametrize("target", TARGETS)


def test_the_targets_are_the_platform_a_developers_copy_and_production(targets):
    assert tuple(targets) == TARGETS


@each_target
def test_databricks_models_and_the_wheel_accept_a_target(targets, wheel, target):
    assert problems_of_target(targets[target]["resources"], wheel) == []


def test_the_wheel_carries_the_contracts_themselves(wheel):
    assert problems_of_wheel(wheel, ROOT / "contracts") == []


def test_what_only_a_place_can_know_has_no_value_in_azures_targets(targets):
    needs = {name: targets[name]["needs"] for name in TARGETS}

    assert needs["local"] == []
    assert set(needs["dev"]) == {*FROM_OUTSIDE, "sql_server"}
    assert set(needs["prod"]) == {*FROM_OUTSIDE, "sql_server", "run_as"}


def test_no_placeholder_looks_like_a_value():
    text = (ROOT / "databricks/databricks.yml").read_text()

    assert re.findall(r"adb-\d+|0000-0000|(?<!127)\.0\.0\.0", text) == []
    assert [name for name in ("dev", "prod") if "host" in DECLARED["targets"][name].get("workspace", {})] == []


def test_the_platform_and_production_call_the_job_what_the_app_asks_for(targets):
    names = {name: targets[name]["resources"]["jobs"]["follow_window"]["name"] for name in TARGETS}

    assert names == {"local": "follow_window", "dev": "developer_follow_window", "prod": "follow_window"}


def test_a_developers_tables_are_set_apart_by_the_prefix_that_the_job_is_told(targets):
    resources = targets["dev"]["resources"]
    told = resources["jobs"]["follow_window"]["tasks"][0]["python_wheel_task"]["named_parameters"]

    schemas = [schema["name"] for schema in resources["schemas"].values()]
    assert schemas == [f"{told['schema_prefix']}{layer}" for layer in ("bronze", "silver", "gold", "restricted")]
    assert told["schema_prefix"] == "developer_"


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_checkpoints_lie_in_the_volume_that_the_bundle_makes(targets, target):
    resources = targets[target]["resources"]
    volume = resources["volumes"]["checkpoints"]
    told = resources["jobs"]["follow_window"]["tasks"][0]["python_wheel_task"]["named_parameters"]

    assert told["checkpoint_root"] == "/Volumes/{catalog_name}/{schema_name}/{name}".format_map(volume)


def test_destroying_production_leaves_its_data(targets):
    resources = targets["prod"]["resources"]
    kept = [*resources["schemas"].values(), *resources["volumes"].values()]

    assert [one["lifecycle"] for one in kept] == [{"prevent_destroy": True}] * 5


def test_clear_text_lies_in_a_schema_of_its_own_that_the_jobs_write_and_one_principal_reads(targets):
    schemas = targets["prod"]["resources"]["schemas"]
    jobs = {"principal": "<run_as>", "privileges": ["ALL_PRIVILEGES"]}

    assert dim_clientes.CLEAR_TABLE.lake_name.partition(".")[0] == "restricted"
    assert schemas["restricted"]["name"] == "restricted"
    assert schemas["restricted"]["grants"] == [
        jobs,
        {"principal": "<pii_reader>", "privileges": ["USE_SCHEMA", "SELECT"]},
    ]
    assert [name for name, schema in schemas.items() if schema["grants"] != [jobs]] == ["restricted"]


def test_the_bundle_makes_the_schemas_of_all_layers(targets):
    assert tuple(targets["prod"]["resources"]["schemas"]) == LAYERS


def test_runs_of_several_feeds_go_on_at_once_and_more_wait(follow_window):
    assert (follow_window["max_concurrent_runs"], follow_window["queue"]) == (20, {"enabled": True})


def test_the_longest_window_is_neither_ended_nor_called_unhealthy(follow_window):
    (rule,) = follow_window["health"]["rules"]

    assert rule["metric"] == "RUN_DURATION_SECONDS"
    assert 24 * 3600 < rule["value"] < follow_window["timeout_seconds"]


def test_the_app_may_start_and_end_runs_and_production_runs_as_its_own_principal(follow_window):
    permissions = [{"level": "CAN_MANAGE_RUN", "service_principal_name": "<app_principal>"}]

    assert follow_window["permissions"] == permissions
    assert follow_window["run_as"] == {"service_principal_name": "<run_as>"}


def test_maintenance_comes_once_a_day_and_is_paused_but_in_production(targets):
    schedules = {name: targets[name]["resources"]["jobs"]["maintenance"]["schedule"] for name in TARGETS}

    assert schedules["prod"] == {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC"}
    assert [schedules[name]["pause_status"] for name in ("local", "dev")] == ["PAUSED"] * 2


def test_the_jobs_run_on_one_kind_of_cluster(targets):
    jobs = targets["prod"]["resources"]["jobs"].values()

    first, second = (job["job_clusters"][0]["new_cluster"] for job in jobs)
    assert first == second
    assert first["data_security_mode"] == "SINGLE_USER"


def test_the_job_takes_the_runs_parameters_and_hands_each_on(follow_window, arguments):
    declared = [parameter["name"] for parameter in follow_window["parameters"]]

    assert declared == list(PARAMETERS)
    assert [arguments[name] for name in PARAMETERS] == [f"{{{{job.parameters.{name}}}}}" for name in PARAMETERS]


def test_defaults_are_those_of_the_runs_contract_and_no_feed_is_taken_for_granted(follow_window):
    defaults = {parameter["name"]: parameter["default"] for parameter in follow_window["parameters"]}
    expected = {name: rule["default"] for name, rule in PARAMETERS.items() if "default" in rule}

    assert {name: defaults[name] for name in expected} == expected
    assert {defaults[name] for name in set(PARAMETERS) - set(expected)} == {"", "[]"}


def test_every_argument_that_is_no_parameter_of_the_run_is_the_variable_of_its_name(arguments):
    declared = yaml.safe_load((ROOT / "databricks/resources/follow_window.job.yml").read_text())
    (task,) = declared["resources"]["jobs"]["follow_window"]["tasks"]
    written = task["python_wheel_task"]["named_parameters"]

    of_target = set(arguments) - set(PARAMETERS)
    assert {name: written[name] for name in of_target} == {name: f"${{var.{name}}}" for name in of_target}


def test_no_secret_travels_as_a_parameter_but_its_name_which_key_vault_allows(arguments):
    names = {name: value for name, value in arguments.items() if name.endswith("_secret")}

    assert [name for name in arguments if re.search("password|token|client_secret|connection_string|sas", name)] == []
    assert names == {
        "event_hubs_secret": "event-hubs-client-secret",
        "storage_secret": "storage-connection-string",
        "pii_secret": "pii-keys",
    }
    assert all(re.fullmatch("[0-9a-zA-Z-]{1,127}", value) for value in names.values())


def test_rows_go_to_azure_sql_in_bulk(arguments):
    assert arguments["sql_url"].startswith("jdbc:sqlserver://<sql_server>:1433;database=enrichment;encrypt=true;")
    assert arguments["sql_url"].endswith(";useBulkCopyForBatchInsert=true")


def test_a_batch_is_bounded_and_passes_keep_their_distance(arguments):
    names = ("max_events_a_batch", "max_files_a_batch", "trigger_interval", "recount_every")

    assert [arguments[name] for name in names] == ["1000000", "1000", "00:00:30", "00:02:00"]
