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
    "a misspelt argument of an option": (
        "stream_analytics.tf",
        "eventhub_consumer_group_name",
        "consumer_group_name",
        "consumer_group_name",
    ),
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
OF_OPTIONS = {
    "a missing role of Stream Analytics": (
        "roles.tf",
        r'\s+\["analytics", "Storage Blob Data Reader".*',
        "analytics has no Storage Blob Data Reader on container lake",
    ),
    "a role too many of Stream Analytics": (
        "roles.tf",
        r'(?<="analytics", "Storage Blob Data Reader", )"files"',
        "analytics needs no Storage Blob Data Reader on lake",
    ),
    "a missing role on the scheduler": (
        "roles.tf",
        r'\s+\["app", "Durable Task Data Contributor".*',
        "app has no Durable Task Data Contributor on scheduler",
    ),
    "a misspelt setting of the scheduler": (
        "settings.tf",
        r"DURABLE_TASK_SCHEDULER_CONNECTION_STRING(?= )",
        "DURABLE_TASK_SCHEDULER_CONNECTION is no setting",
    ),
}
INSTEAD = {
    "a role too many of Stream Analytics": '"lake"',
    "a misspelt setting of the scheduler": "DURABLE_TASK_SCHEDULER_CONNECTION",
    "a role too many": '"Azure Event Hubs Data Owner"',
    "a misspelt setting": "AzureWebJobsStorage__clientID",
    "a setting of one machine": '      ONE_MACHINE = "true"\n',
}


@pytest.fixture(scope="module")
def changeable(tmp_path_factory):
    copied = copy_of(ROOT / "infra", tmp_path_factory.mktemp("faults"))
    assert copied.run("init", *INIT).code == 0
    return copied


@pytest.fixture(scope="module")
def only(changeable):
    """Leave one choice of options to be tested."""
    tests = changeable.folder / "tests" / "infra.tftest.hcl"
    whole = tests.read_text()
    runs = {each[1]: each[0] for each in re.finditer(r'^run "(\w+)" \{$.*?^\}$', whole, re.MULTILINE | re.DOTALL)}
    before = whole.partition('run "')[0]
    return lambda run: tests.write_text(before + runs[run])


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


def found_in(configuration, run, needed):
    state = states_of(configuration.run("test", "-json", "-verbose"))[run]
    return judging.wrong_settings(state) + judging.wrong_roles(state, needed)


@pytest.mark.parametrize("fault", BY_JUDGING)
def test_the_tests_find(changed, only, fault):
    name, old, said = BY_JUDGING[fault]
    only("default")

    found = found_in(changed(name, old, INSTEAD.get(fault, "")), "default", set(judging.NEEDED) | set(judging.ON_FLEX))

    assert any(said in problem for problem in found)


@pytest.mark.parametrize("fault", OF_OPTIONS)
def test_the_tests_find_in_options(changed, only, fault):
    name, old, said = OF_OPTIONS[fault]
    only("everything")
    options = (judging.OF_PROMOTIONS, judging.OF_CAPTURE, judging.OF_SCHEDULER, judging.OF_ANALYTICS)
    needed = set(judging.NEEDED).union(judging.ON_FLEX, *options)

    found = found_in(changed(name, old, INSTEAD.get(fault, "")), "everything", needed)

    assert any(said in problem for problem in found)
