"""Where secrets are looked for, and what is said where they are missing."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from lakehouse.secrets import SecretMissing, read_secret, variable_of


def test_one_machine_keeps_secrets_in_the_environment(monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_SECRET_SQL_TOKEN", "value")

    assert read_secret("sql-token", scope="") == "value"


def test_a_name_of_key_vault_is_a_variable_without_its_dashes():
    assert variable_of("event-hubs-client-secret") == "LAKEHOUSE_SECRET_EVENT_HUBS_CLIENT_SECRET"


def test_a_missing_secret_is_named_by_its_variable(monkeypatch):
    monkeypatch.delenv("LAKEHOUSE_SECRET_SQL_TOKEN", raising=False)

    with pytest.raises(SecretMissing, match="LAKEHOUSE_SECRET_SQL_TOKEN is not set: it must hold the secret sql-token"):
        read_secret("sql-token", scope="")


@pytest.fixture
def scope(monkeypatch):
    """The secrets of the scope `vault` as Databricks' runtime gives them: one that is not there is an error."""
    held = {"sql-token": "value"}
    runtime = ModuleType("databricks.sdk.runtime")
    runtime.dbutils = SimpleNamespace(secrets=SimpleNamespace(get=lambda scope, key: {"vault": held}[scope][key]))
    monkeypatch.setitem(sys.modules, "databricks.sdk", ModuleType("databricks.sdk"))
    monkeypatch.setitem(sys.modules, "databricks.sdk.runtime", runtime)
    return "vault"


def test_a_scope_gives_a_secret_by_its_own_name(scope):
    assert read_secret("sql-token", scope=scope) == "value"


def test_a_secret_that_the_scope_lacks_is_named_and_no_value_shown(scope):
    with pytest.raises(SecretMissing, match="the secret scope 'vault' gives no secret 'lost': KeyError"):
        read_secret("lost", scope=scope)
