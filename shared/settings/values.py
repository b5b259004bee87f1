"""What the text of a setting must be where that is a name or an address of Azure, or a file of this machine.

Each parser raises ValueError with the rule, and never with the text, which may hold a secret in the wrong place.
"""

import re
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from shared.domain import setting

_SQL_FORM: Final = (
    "must be sqlite:///<path> or mssql://<server>[:<port>]/<database>, without user, password or options: "
    "the app logs in by its identity"
)

PUBLIC_AUTHORITIES: Final = frozenset(
    {"login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn"}
)
"""Where Microsoft's clouds log in (azure.identity.AzureAuthorityHosts); elsewhere a secret would be given away."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A parser of a name that has one shape; where it may be absent, blank is None."""

    pattern: re.Pattern[str]
    rule: str
    may_be_absent: bool = False

    def __call__(self, value: str) -> str | None:
        """Read the name."""
        name = value.strip()
        if not name and self.may_be_absent:
            return None
        if not self.pattern.fullmatch(name):
            raise ValueError(self.rule)
        return name


namespace: Final = Shaped(
    re.compile(r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+"),
    "must be the host alone, as <name>.servicebus.windows.net: no sb://, no path, no connection string",
)
"""The host of an Event Hubs namespace."""

hub: Final = Shaped(
    re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,254}[A-Za-z0-9])?"),
    "must be a hub's name: letters, digits, and inside it also . _ -, at most 256",
)
"""A hub: learn.microsoft.com, "Naming rules and restrictions for Azure resources"."""


def hubs(value: str) -> tuple[str, ...]:
    """Read the names of hubs, separated by commas, each named once; blank is none."""
    return tuple(filter(None, map(hub, setting.names(value)))) if value.strip() else ()


storage_account: Final = Shaped(
    re.compile(r"[a-z0-9]{3,24}"),
    "must be the account's name alone: 3 to 24 small letters and digits",
    may_be_absent=True,
)
"""A storage account."""

task_hub: Final = Shaped(
    re.compile(r"[A-Za-z][A-Za-z0-9]{2,44}"),
    "must begin with a letter and have 3 to 45 letters and digits, nothing else",
)
"""A task hub: learn.microsoft.com, "Task hubs in Durable Functions"."""

entra_id: Final = Shaped(
    re.compile(r"[A-Za-z0-9._-]{1,128}"), "must be an id of Entra: letters, digits, and . _ -", may_be_absent=True
)
"""The id of a tenant, a client or an identity."""


def sql_url(value: str) -> str | None:
    """Read the URL of a database, `mssql+pyodbc://` too; blank is None."""
    url = value.strip()
    if not url:
        return None
    parts = setting.split_url(url, _SQL_FORM)
    if any(mark in url for mark in "?#") or not url.isprintable():
        raise ValueError(_SQL_FORM)
    is_file = url.startswith("sqlite:///") and len(parts.path) > 1
    is_server = parts.scheme in {"mssql", "mssql+pyodbc"} and parts.hostname and parts.path.strip("/")
    if "@" in parts.netloc or not (is_file or is_server):
        raise ValueError(_SQL_FORM)
    return url


class Workspace(setting.OptionalUrl):
    """A parser of a workspace's URL that may be absent; Azure's `workspaceUrl`, which has no scheme, gets https://."""

    def __call__(self, value: str) -> str | None:  # type: ignore[override]
        """Read the URL; blank is None."""
        bare = value.strip()
        return super().__call__(bare if "://" in bare or not bare else f"https://{bare}")


def authorities(value: str) -> str | None:
    """Read the path of a PEM file that holds certificates; blank is None."""
    path = value.strip()
    if not path:
        return None
    if not Path(path).is_file():
        raise ValueError("must be a file of this machine, and there is none at that path")
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        raise ValueError("must be a file that can be read and holds certificates in PEM") from None
    return path


def is_of_this_machine(url: str) -> bool:
    """Say whether a URL leads to the machine itself, whatever name of it is written."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified
