"""The bundle as declared: Databricks' own models accept it, and what it names exists."""

import json
import re
import tomllib
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from databricks.bundles.jobs import Job

from lakehouse.config import REQUIRED, Parameters
from lakehouse.streams.contract import load_contract
from lakehouse.request import parse_stream, parse_window_id
from lakehouse.secrets import read_secret

ROOT = Path(__file__).parents[2]
BUNDLE = yaml.safe_load((ROOT / "databricks.yml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
JOBS = {
    name: job
    for path in sorted((ROOT / "resources").glob("*.job.yml"))
    for name, job in yaml.safe_load(path.read_text())["resources"]["jobs"].items()
}
PARAMETERS = json.loads((ROOT.parent / "contracts/documents/job_parameters.v1.schema.json").read_text())["properties"]
TARGETS = ("local", "dev", "prod")

jobs = pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())


def resolved(value, target):
    """A declaration with the variables of a target in place."""
    variables = {name: one.get("default") for name, one in BUNDLE["variables"].items()} | BUNDLE["targets"][target][
        "variables"
    ]
    if isinstance(value, dict):
        return {name: resolved(one, target) for name, one in value.items()}
    if isinstance(value, list):
        return [resolved(one, target) for one in value]
    return re.sub(r"\$\{var\.(\w+)\}", lambda found: variables[found[1]], value) if isinstance(value, str) else value


def task_of(job):
    (task,) = job["tasks"]
    return task


def test_both_jobs_are_declared_under_the_names_that_the_app_asks_for():
    assert {name: job["name"] for name, job in JOBS.items()} == {
        "trades_enrichment": "trades_enrichment",
        "payments": "payments",
    }


@pytest.mark.parametrize("target", TARGETS)
@jobs
def test_databricks_own_models_accept_the_job(job, target):
    declared = resolved(job, target)

    assert Job.from_dict(declared).as_dict()["name"] == job["name"]


@pytest.mark.parametrize("target", TARGETS)
def test_every_variable_has_a_value_in_every_target(target):
    values = {name: one.get("default") for name, one in BUNDLE["variables"].items()} | BUNDLE["targets"][target][
        "variables"
    ]

    assert [name for name, value in values.items() if not isinstance(value, str)] == []
    assert set(BUNDLE["targets"][target]["variables"]) <= set(BUNDLE["variables"])


@jobs
def test_one_run_at_a_time_and_the_next_one_waits(job):
    assert (job["max_concurrent_runs"], job["queue"]) == (1, {"enabled": True})


@jobs
def test_the_job_takes_the_runs_parameters_and_hands_each_on(job):
    declared = [parameter["name"] for parameter in job["parameters"]]
    handed_on = task_of(job)["python_wheel_task"]["named_parameters"]

    assert declared == list(PARAMETERS)
    assert all(handed_on[name] == f"{{{{job.parameters.{name}}}}}" for name in PARAMETERS)


@jobs
def test_the_wheel_knows_every_parameter_and_gets_all_that_it_needs(job):
    handed_on = set(task_of(job)["python_wheel_task"]["named_parameters"])
    known = {field.name for field in fields(Parameters)}

    assert handed_on == known
    assert handed_on >= REQUIRED


@jobs
def test_the_entry_point_is_in_the_wheel(job):
    wheel = task_of(job)["python_wheel_task"]
    module, _, function = PROJECT["project"]["scripts"][wheel["entry_point"]].partition(":")

    assert wheel["package_name"] == PROJECT["project"]["name"]
    assert callable(getattr(import_module(module), function))


@jobs
def test_defaults_can_be_read(job):
    defaults = {parameter["name"]: parameter["default"] for parameter in job["parameters"]}

    assert {name: defaults[name] for name, rule in PARAMETERS.items() if "default" in rule} == {
        name: rule["default"] for name, rule in PARAMETERS.items() if "default" in rule
    }
    assert load_contract(parse_stream(defaults["streams"]).contract).name == parse_stream(defaults["streams"]).contract
    assert parse_window_id(defaults["feed"], f"{defaults['feed']}-20261122T100000Z")


@jobs
def test_clusters_and_dependencies_of_tasks_exist(job):
    clusters = {cluster["job_cluster_key"] for cluster in job["job_clusters"]}
    tasks = {task["task_key"] for task in job["tasks"]}

    assert {task["job_cluster_key"] for task in job["tasks"]} <= clusters
    assert {one["task_key"] for task in job["tasks"] for one in task.get("depends_on", [])} <= tasks


@jobs
def test_no_secret_travels_as_a_parameter(job):
    names = task_of(job)["python_wheel_task"]["named_parameters"]

    assert [name for name in names if re.search("password|token|client_secret|connection_string|sas", name)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.name)
def test_a_notebook_only_shows_what_the_wheel_gives(path):
    text = path.read_text()
    imports = re.findall(r"^(?:from|import) (\S+)", text, re.MULTILINE)

    compile(text, path.name, "exec")
    assert {name.partition(".")[0] for name in imports} == {"lakehouse"}
    assert not re.search(r"^\s*(def|class|for|while|if) ", text, re.MULTILINE)
    for module, names in re.findall(r"^from (lakehouse\S*) import (.+)$", text, re.MULTILINE):
        assert [name for name in names.split(", ") if not hasattr(import_module(module), name)] == []


def test_secrets_on_one_machine_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_SECRET_STORAGE_CONNECTION_STRING", "x")

    assert read_secret("STORAGE_CONNECTION_STRING", scope="") == "x"
