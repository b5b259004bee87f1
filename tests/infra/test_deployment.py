"""What azd runs around Terraform: its file, its variables, the hooks and what they hand on."""

import json
import re
import subprocess

import pytest
import sqlglot
import yaml

from infra.checks.terraform import ROOT

INFRA = ROOT / "infra"
HOOKS = sorted((INFRA / "hooks").glob("*.sh"))
OF_AZD = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID"}
GIVEN_BY_A_PERSON = {"ALERT_EMAIL"}
AZURE = yaml.safe_load((ROOT / "azure.yaml").read_text())


def declared(kind):
    """Give the names of Terraform's variables or outputs, each with its body."""
    text = "\n".join(path.read_text() for path in INFRA.glob("*.tf"))
    return dict(re.findall(rf'^{kind} "(\w+)" \{{(.*?)(?:\n\}}| \}}$)', text, re.MULTILINE | re.DOTALL))


def set_by_hooks():
    return {name for path in HOOKS for name in re.findall(r"azd env set (\w+)", path.read_text())}


def run_hooks():
    return {ROOT / each["run"] for stage in AZURE["hooks"].values() for each in stage}


def test_azd_drives_terraform_and_publishes_the_app():
    assert AZURE["infra"] == {"provider": "terraform", "path": "infra", "module": "main"}
    app = {"project": ".", "dist": "dist/app", "language": "python", "host": "function"}
    assert AZURE["services"]["app"] == app
    assert (INFRA / "main.tfvars.json").is_file()


def test_the_service_is_found_by_its_tag(state):
    apps = [*state.all_of("function_app_flex_consumption"), *state.all_of("linux_function_app")]

    assert [each["tags"]["azd-service-name"] for each in apps] == list(AZURE["services"])


def test_every_hook_is_run_and_is_a_program():
    assert run_hooks() == set(HOOKS)
    assert all(path.stat().st_mode & 0o111 for path in HOOKS)


@pytest.mark.parametrize("path", HOOKS, ids=lambda path: path.name)
def test_a_hook_is_shell(path):
    done = subprocess.run(["sh", "-n", path], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", HOOKS, ids=lambda path: path.name)
def test_what_a_hook_reads_is_given_by_azd_an_output_or_a_hook(path):
    text = path.read_text()
    read = set(re.findall(r"\$\{?([A-Z][A-Za-z_0-9]+)\b(?!:-)", text))

    assert read <= OF_AZD | set(declared("output")) | set_by_hooks()


def test_terraform_gets_every_variable_that_has_no_default_and_none_that_it_does_not_know():
    given = json.loads((INFRA / "main.tfvars.json").read_text())
    variables = declared("variable")

    assert set(given) <= set(variables)
    assert {name for name, body in variables.items() if "default " not in body} <= set(given)


def test_what_terraform_is_given_comes_from_somewhere():
    read = re.findall(r"\$\{(\w+)(=?)[^}]*\}", (INFRA / "main.tfvars.json").read_text())
    needed = {name for name, default in read if not default}

    assert needed <= OF_AZD | GIVEN_BY_A_PERSON | set_by_hooks()


def test_the_bundle_gets_every_variable_that_has_no_default_and_none_that_it_does_not_know():
    variables = yaml.safe_load((ROOT / "databricks" / "databricks.yml").read_text())["variables"]
    given = set(re.findall(r'--var "(\w+)=', (INFRA / "hooks" / "lakehouse.sh").read_text()))

    assert given <= set(variables)
    assert {name for name, each in variables.items() if "default" not in each} <= given


def test_the_dashboard_gets_every_variable_of_its_bundle():
    variables = yaml.safe_load((ROOT / "databricks" / "dashboards" / "databricks.yml").read_text())["variables"]

    assert set(re.findall(r"BUNDLE_VAR_(\w+)=", (INFRA / "hooks" / "lakehouse.sh").read_text())) == set(variables)


def test_the_secrets_that_the_bundle_reads_are_those_that_the_hooks_write():
    variables = yaml.safe_load((ROOT / "databricks" / "databricks.yml").read_text())["variables"]
    written = set(re.findall(r"keep ([a-z-]+)", (INFRA / "hooks" / "secrets.sh").read_text()))

    assert written == {variables["event_hubs_secret"]["default"], variables["pii_secret"]["default"]}


def test_the_grants_are_sql_and_drop_nothing():
    text = re.sub(r"\$\((\w+)\)", r"\1", (INFRA / "hooks" / "grants.sql").read_text())

    statements = [
        each for batch in re.split(r"^GO$", text, flags=re.MULTILINE) for each in sqlglot.parse(batch, "tsql") if each
    ]

    assert len(statements) >= 7
    assert not re.search(r"\b(DROP|DENY|REVOKE|db_owner|CONTROL)\b", text)
