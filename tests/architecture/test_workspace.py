"""What people open the project with, and what checks it elsewhere, names only what there is."""

import json
import re

import pytest
import yaml

from tests.architecture.tree import ROOT, text

WORKFLOW = yaml.safe_load(text(".github/workflows/ci.yml"))
VERBS = set(re.findall(r"^([a-z-]+):.*##", text("Makefile"), re.MULTILINE))


def steps(job):
    return WORKFLOW["jobs"][job]["steps"]


def test_changes_are_checked_by_the_same_command_as_everywhere():
    (command,) = (step["run"] for step in steps("check") if "run" in step)

    assert (ROOT / command).is_file()


def test_only_what_lands_is_deployed_and_only_after_it_was_checked():
    deploy = WORKFLOW["jobs"]["deploy"]

    assert deploy["needs"] == "check"
    assert "refs/heads/main" in deploy["if"]


def test_no_secret_is_kept_and_only_the_deployment_gets_a_token_of_identity():
    assert "secrets." not in text(".github/workflows/ci.yml")
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["jobs"]["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}


def test_every_action_is_pinned_to_a_major_version():
    used = [step["uses"] for job in WORKFLOW["jobs"] for step in steps(job) if "uses" in step]

    assert used
    assert [name for name in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@v\d+", name)] == []


def test_python_is_the_projects_wherever_it_is_opened():
    version = text(".python-version").strip()

    assert f":{version}-" in json.loads(text(".devcontainer/devcontainer.json"))["image"]
    assert {
        step["with"]["python-version-file"]
        for job in WORKFLOW["jobs"]
        for step in steps(job)
        if "setup-python" in step.get("uses", "")
    } == {".python-version"}


@pytest.mark.parametrize("path", [".devcontainer/devcontainer.json", ".vscode/tasks.json"])
def test_verbs_that_are_called_exist(path):
    called = set(re.findall(r"\bmake ([a-z-]+)", text(path)))

    assert called
    assert called <= VERBS


def test_the_debugger_waits_for_a_task_that_there_is():
    (launched,) = json.loads(text(".vscode/launch.json"))["configurations"]
    tasks = {task["label"]: task for task in json.loads(text(".vscode/tasks.json"))["tasks"]}

    assert tasks[launched["preLaunchTask"]]["dependsOn"] in tasks


def test_the_container_suggests_what_the_folder_suggests():
    container = json.loads(text(".devcontainer/devcontainer.json"))["customizations"]["vscode"]["extensions"]

    assert container == json.loads(text(".vscode/extensions.json"))["recommendations"]
