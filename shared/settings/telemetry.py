"""The app settings of telemetry: where lines, metrics and spans go, and who logs in there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from shared.domain import setting
from shared.domain.setting import Setting

_KEY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLIENT: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})

OF_THE_EXPORTER: Final[Mapping[str, str]] = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED": "true",
}
"""What the exporter reads from the environment alone: it is to tell nothing of itself, and to ask nobody what to do."""


@dataclass(frozen=True, slots=True)
class Login:
    """The managed identity that sends telemetry: the system's where no client id is given."""

    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Where telemetry goes; None is nowhere. login: None where the endpoint takes it from anybody with the key.

    role: the name of the app among others that send there. every: how often metrics are sent.
    """

    connection: str | None = field(repr=False)
    login: Login | None
    role: str
    every: timedelta


def connection(value: str) -> str | None:
    """Read a connection string; blank is None."""
    if not value.strip():
        return None
    parts = _parts(value, "must be a connection string: InstrumentationKey=<key>;IngestionEndpoint=https://<host>/")
    if not _KEY.fullmatch(parts.get("instrumentationkey", "").lower()):
        raise ValueError("must have an InstrumentationKey that is a UUID")
    endpoint = urlsplit(parts.get("ingestionendpoint", ""))
    if endpoint.scheme != "https" and not (endpoint.scheme == "http" and endpoint.hostname in _LOOPBACK):
        raise ValueError("must have an IngestionEndpoint, https://<host>/")
    return value.strip()


def login(value: str) -> Login | None:
    """Read how the host says who logs in: `ClientId=<id>;Authorization=AAD`; blank is None."""
    if not value.strip():
        return None
    rule = "must be Authorization=AAD, with ClientId=<client id>; before it where the identity is user-assigned"
    parts = _parts(value, rule)
    client_id = parts.get("clientid")
    if parts.get("authorization", "").upper() != "AAD" or not (client_id is None or _CLIENT.fullmatch(client_id)):
        raise ValueError(rule)
    return Login(client_id)


def _parts(value: str, rule: str) -> dict[str, str]:
    """Read `<name>=<value>;…`; names in any case."""
    pairs = [pair.partition("=") for pair in value.strip().rstrip(";").split(";")]
    if not all(name.strip() and separator for name, separator, _ in pairs):
        raise ValueError(rule)
    return {name.strip().lower(): text.strip() for name, _, text in pairs}


SETTINGS: Final = (
    Setting(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        connection,
        "",
        "Where lines, metrics and spans go: `InstrumentationKey=<key>;IngestionEndpoint=<url>`; absent: nowhere but to "
        "the log. The host reads it too.",
    ),
    Setting(
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        login,
        "",
        "Who sends them: `ClientId=<client id>;Authorization=AAD`, a managed identity; absent: whoever has the key. "
        "The host reads it too.",
    ),
    Setting("TELEMETRY_ROLE", setting.text, "reactive-ingestion", "The name of the app among others that send there."),
    Setting("TELEMETRY_EVERY", setting.positive_duration, "00:01:00", "How often metrics are sent."),
)


def telemetry_settings(read: Mapping[str, Any]) -> TelemetrySettings:
    """Pick them out of all that were read."""
    return TelemetrySettings(
        connection=read["APPLICATIONINSIGHTS_CONNECTION_STRING"],
        login=read["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"],
        role=read["TELEMETRY_ROLE"],
        every=read["TELEMETRY_EVERY"],
    )
