"""Faults planted in the configuration are found: by Terraform against the schema, or by what the tests judge."""

import re

import pytest

from infra.checks.terraform import ROOT, copy_of
from tests.infra import judging
from tests.infra.conftest import INIT
from tests.infra.state import states_of

BY_VALIDATION = {
    "a misspelt argument": ("storage.tf", "min_tls_version ", "minimum_tls ", "minimum_tls"),
    "a misspelt block": ("event_grid.tf", "subject_filter {", "subject_filters {", "subject_filters"),
    "a misspelt attribute": ("outputs.tf", "main.vault_uri", "main.vault_url", "vault_url"),
    "a wrong reference": ("sql.tf", "azurerm_mssql_server.main.id", "azurerm_mssql_server.other.id", "other"),
    "a wrong type": ("event_hubs.tf", "= var.partitions", '= "four"', "partition_count"),
    "a missing argument": ("key_vault.tf", 'sku_name                      = "standard"\n', "", "sku_name"),
    "an unknown resource": (
        "databricks.tf",
        "databricks_access_connector",
        "databricks_accessconnector",
        "accessconnector",
    ),
}
BY_JUDGING = {
    "a missing role": (
        "roles.tf",
        r'\s+\["app", "EventGrid Data Sender".*',
        "app has no EventGrid Data Sender on topic",
    ),
    "a role too many": (
        "roles.tf",
        r'(?<="app", )"EventGrid Data Sender"',
        "app needs no",
    ),
    "a missing setting": ("settings.tf", r"\n\s+WINDOW_TIMER .*", "WINDOW_TIMER is not set"),
    "a misspelt setting": (
        "settings.tf",
        r"AzureWebJobsStorage__clientId(?= )",
        "AzureWebJobsStorage__clientID is no setting",
    ),
    "a setting of one machine": ("settings.tf", r"(?<=\n)(?=\s+TASKHUB_NAME)", "ONE_MACHINE is for one machine"),
}
INSTEAD = {
    "a role too many": '"Azure Event Hubs Data Owner"',
    "a misspelt setting": "AzureWebJobsStorage__clientID",
    "a setting of one machine": '      ONE_MACHINE = "true"\n',
}


@pytest.fixture(scope="module")
def changeable(tmp_path_factory):
    copied = copy_of(ROOT / "infra", tmp_path_factory.mktemp("faults"))
    assert copied.run("init", *INIT).code == 0
    tests = copied.folder / "tests" / "infra.tftest.hcl"
    tests.write_text(tests.read_text().partition('run "published"')[0])
    return copied


@pytest.fixture
def changed(changeable):
    """Change a file of the copy until the test ends."""
    kept = {}

    def change(name, old, new):
        path = changeable.folder / name
        kept[path] = path.read_text()
        assert re.search(old, kept[path]), f"{name} has nothing of {old}"
        path.write_text(re.sub(old, new, kept[path], count=1))
        return changeable

    yield change
    for path, text in kept.items():
        path.write_text(text)


@pytest.mark.parametrize("fault", BY_VALIDATION)
def test_terraform_finds(changed, fault):
    name, old, new, named = BY_VALIDATION[fault]

    done = changed(name, re.escape(old), new).run("validate", "-no-color")

    assert done.code == 1
    assert named in done.output


@pytest.mark.parametrize("fault", BY_JUDGING)
def test_the_tests_find(changed, fault):
    name, old, said = BY_JUDGING[fault]

    state = states_of(changed(name, old, INSTEAD.get(fault, "")).run("test", "-json", "-verbose"))["default"]

    found = judging.wrong_settings(state) + judging.wrong_roles(state, set(judging.NEEDED) | set(judging.ON_FLEX))
    assert any(said in problem for problem in found)
