"""A binding's connection: the app settings that its name finds, and the login that they hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential

from emulators.functions_host.errors import AppRefused

STORAGE = "AzureWebJobsStorage"
STORAGE_RETRY: Mapping[str, Any] = {"retry_total": 3, "initial_backoff": 1, "increment_base": 2}
"""What a storage client waits between its three more tries: 1, 3 and 5 s, as in .NET, not the minute of Python's."""

_LOGIN = ("tenantId", "clientId", "clientSecret")
_AUTHORITIES = "SSL_CERT_FILE"


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection: a connection string, or the settings `<name>__…` of an identity (their names in lower case).

    `authorities` is a PEM file of who TLS trusts, from the setting SSL_CERT_FILE; None is the usual ones.
    """

    name: str
    string: str
    properties: Mapping[str, str]
    authorities: str | None

    def get(self, name: str, default: str = "") -> str:
        """Give the setting `<connection>__<name>`."""
        return self.properties.get(name.lower()) or default

    def required(self, name: str) -> str:
        """Give the setting; raises AppRefused where it is not set."""
        value = self.get(name)
        if not value:
            raise AppRefused(f"the app setting {self.name}__{name} is not set, and {self.name} is no connection string")
        return value

    def credential(self) -> AsyncTokenCredential:
        """Log in as the client of the connection; raises AppRefused for what is no client secret."""
        from azure.identity.aio import ClientSecretCredential  # noqa: PLC0415 - most hosts need no login, and it is slow

        kind = self.get("credential", "clientsecret").lower()
        if kind != "clientsecret":
            raise AppRefused(f"{self.name}__credential is {kind!r}: this host knows no login but a client secret")
        authority = self.get("authorityHost", "https://login.microsoftonline.com")
        return ClientSecretCredential(
            *(self.required(name) for name in _LOGIN),
            authority=authority,
            disable_instance_discovery=not str(urlsplit(authority).hostname).endswith(".microsoftonline.com"),
            **self.trust,
        )

    def storage_address(self, service: str) -> str:
        """Give the address of an account's `queue` or `blob` service; raises AppRefused where no setting has it."""
        given = self.get(f"{service}ServiceUri")
        return given or f"https://{self.required('accountName')}.{service}.core.windows.net"

    @property
    def trust(self) -> dict[str, Any]:
        """The option of Azure's clients that names who they trust."""
        return {"connection_verify": self.authorities} if self.authorities else {}


def connection(settings: Mapping[str, str], name: str) -> Connection:
    """Find the connection `name` in the app settings; with the prefix AzureWebJobs it is looked for first.

    Raises AppRefused where no setting has the name.
    """
    for candidate in (f"AzureWebJobs{name}", name):
        prefix = f"{candidate}__"
        properties = {key[len(prefix) :].lower(): value for key, value in settings.items() if key.startswith(prefix)}
        if settings.get(candidate) or properties:
            return Connection(candidate, settings.get(candidate, ""), properties, settings.get(_AUTHORITIES))
    raise AppRefused(f"the connection {name!r} is no app setting: neither {name} nor one that begins with {name}__ is")


def resolved(text: str, settings: Mapping[str, str]) -> str:
    """Put the app settings in place of each %NAME% in `text`; raises AppRefused where one isn't set."""
    parts = text.split("%")
    if len(parts) % 2 == 0:
        raise AppRefused(f"{text!r} has a % without its second")
    for name in parts[1::2]:
        if name not in settings:
            raise AppRefused(f"%{name}% names an app setting that does not exist")
    return "".join(settings[part] if n % 2 else part for n, part in enumerate(parts))
