"""The local Entra in a process of its own, and the orders by which it puts clients off."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from emulators.entra.identities import make_identities, write_identities
from emulators.testing import running_service
from emulators.tls import TlsFiles, make_tls_files
from shared.clients.identity.credentials import ServicePrincipal

PASSING: list[dict[str, Any]] = [
    {"kind": "throttled", "retry_after": "1"},
    {"kind": "gateway", "status": 500},
    {"kind": "gateway", "status": 502},
    {"kind": "transient", "status": 503},
    {"kind": "transient", "status": 400},
    {"kind": "loop"},
    {"kind": "gateway", "status": 429, "at": "metadata"},
    {"kind": "gateway", "status": 503, "at": "metadata"},
]
"""Every way in which Entra says "not now"."""


@dataclass(frozen=True)
class Entra:
    """The running Entra: a login that it takes, and its orders."""

    login: ServicePrincipal
    tls: TlsFiles

    def order(self, **fault: Any) -> None:
        """Let the next requests meet a fault."""
        order(self.login, "POST", fault)

    def injected(self) -> list[int]:
        """Give what is left of each fault."""
        return [fault["left"] for fault in order(self.login, "GET")["faults"]]


def order(login: ServicePrincipal, method: str, fault: dict[str, Any] | None = None) -> Any:
    """Speak to the admin routes of the Entra that a login belongs to."""
    url = f"{login.authority_host}/admin/faults"
    answer = requests.request(method, url, json=fault, timeout=5, verify=login.ca_bundle)
    answer.raise_for_status()
    return answer.json()


@contextmanager
def running_entra(folder: Path) -> Iterator[Entra]:
    """Run it for the length of a block."""
    tls, identities = make_tls_files(folder), make_identities()
    write_identities(identities, folder / "identities.json")
    shown = ("--certificate", tls.server, "--identities", folder / "identities.json")
    with running_service("entra", "--port", 0, *shown) as entra:
        who = identities.client_in_role("Sender")
        trusted = str(tls.authority)
        yield Entra(
            ServicePrincipal(identities.tenant, who.client_id, who.secret, entra["authority"], ca_bundle=trusted), tls
        )
