"""Continuous integration and the editor's files call what there is."""

import json
import re

import pytest
import yaml

from infra.checks.terraform import ROOT

JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
EDITORS = sorted([*(ROOT / ".vscode").glob("*.json"), *(ROOT / ".devcontainer").glob("*.json")])


def commands(job):
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def test_every_change_is_checked_before_it_is_deployed():
    assert ".ci/run" in commands("check")
    assert JOBS["deploy"]["needs"] == "check"
    assert "refs/heads/main" in JOBS["deploy"]["if"]


def test_it_is_deployed_by_an_identity_that_trusts_the_repository_and_by_no_secret():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()

    assert JOBS["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert "--federated-credential-provider github" in commands("deploy")
    assert "secrets." not in text


def test_the_deployment_has_every_variable_that_terraform_is_given():
    given = (ROOT / "infra" / "main.tfvars.json").read_text()
    needed = set(re.findall(r"\$\{(\w+)\}", given)) | set(re.findall(r'"\$\{(\w+)\}', commands("deploy")))

    assert needed <= set(JOBS["deploy"]["env"])


def test_a_deployment_takes_no_choice_back_that_somebody_made():
    given = (ROOT / "infra" / "main.tfvars.json").read_text()
    defaults = dict(re.findall(r"\$\{(\w+)=([^}]*)\}", given))

    written = {name: f"${{{{ vars.{name} || '{default}' }}}}" for name, default in defaults.items()}

    assert written.items() <= JOBS["deploy"]["env"].items()


def test_what_is_installed_has_its_version():
    steps = [step for job in JOBS.values() for step in job["steps"]]
    uses = [step["uses"] for step in steps if "uses" in step]

    assert all(re.search(r"@v\d+(\.\d+)*$", each) for each in uses)
    assert "latest" not in commands("deploy")
    (terraform,) = [step for step in steps if "setup-terraform" in step.get("uses", "")]
    assert terraform["with"]["terraform_version"] in (ROOT / "docs" / "deploy.md").read_text()


def test_a_later_deployment_does_not_take_the_second_stage_away_first():
    assert "CODE_IS_PUBLISHED" in JOBS["deploy"]["env"]


@pytest.mark.parametrize("path", EDITORS, ids=lambda path: path.name)
def test_a_file_of_the_editor_calls_verbs_that_the_makefile_has(path):
    text = path.read_text()
    verbs = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    json.loads(text)
    assert set(re.findall(r"make ([a-z-]+)", text)) <= set(verbs)


def test_what_starts_the_app_in_the_editor_is_a_task():
    tasks = json.loads((ROOT / ".vscode" / "tasks.json").read_text())["tasks"]
    launch = json.loads((ROOT / ".vscode" / "launch.json").read_text())["configurations"]
    labels = {task["label"] for task in tasks}

    assert {each["preLaunchTask"] for each in launch} <= labels
    assert {task["dependsOn"] for task in tasks if "dependsOn" in task} <= labels
