"""Where a job finds its secrets: a Databricks secret scope, or the environment on one machine."""

import os

_PREFIX = "LAKEHOUSE_SECRET_"


class SecretMissing(Exception):
    """A secret is not where it should be; the text names the place, never the value."""


def read_secret(name: str, *, scope: str) -> str:
    """Read a secret such as `event-hubs-client-secret`: letters, digits and dashes, which is what Key Vault allows.

    scope: the Databricks secret scope; empty on one machine, where `variable_of(name)` of the environment holds it.
    Raises SecretMissing.
    """
    return _from_scope(scope, name) if scope else _from_environment(name)


def variable_of(name: str) -> str:
    """Name the environment variable of a secret: `LAKEHOUSE_SECRET_EVENT_HUBS_CLIENT_SECRET`."""
    return _PREFIX + name.upper().replace("-", "_")


def _from_environment(name: str) -> str:
    variable = variable_of(name)
    value = os.environ.get(variable, "")
    if not value:
        raise SecretMissing(f"the environment variable {variable} is not set: it must hold the secret {name}")
    return value


def _from_scope(scope: str, name: str) -> str:
    from databricks.sdk.runtime import dbutils  # noqa: PLC0415 (only Databricks has it)

    try:
        return str(dbutils.secrets.get(scope=scope, key=name))
    except Exception as error:
        # Whatever Databricks raises comes through py4j; its text names scope and key only.
        raise SecretMissing(f"the secret scope {scope!r} gives no secret {name!r}: {type(error).__name__}") from error
