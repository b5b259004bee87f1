"""Where secrets are looked for, and what is said where they are missing."""

import pytest

from lakehouse.secrets import SecretMissing, read_secret


def test_one_machine_keeps_secrets_in_the_environment(monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_SECRET_SQL_TOKEN", "value")

    assert read_secret("SQL_TOKEN", scope="") == "value"


def test_a_missing_secret_is_named_by_its_variable(monkeypatch):
    monkeypatch.delenv("LAKEHOUSE_SECRET_SQL_TOKEN", raising=False)

    with pytest.raises(SecretMissing, match="LAKEHOUSE_SECRET_SQL_TOKEN is not set"):
        read_secret("SQL_TOKEN", scope="")
