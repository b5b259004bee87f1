"""Cosmos DB and the identity provider as the tests see them, and how they read back what was written."""

import base64
import contextlib
import secrets
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import requests
from azure.cosmos import CosmosClient
from urllib3.exceptions import InsecureRequestWarning

from emulators.entra.identities import Identities, make_identities, write_identities
from emulators.key_files import write_key
from emulators.testing import running_service
from emulators.tls import TlsFiles, make_tls_files
from shared.clients.breaker import Breaker
from shared.clients.cosmos.containers import THROTTLED, AzureCosmos, CosmosConnection, Items
from shared.clients.identity.credentials import Identity, ServicePrincipal, make_identity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts

DATABASE, CONTAINER, LATER = "payments", "transactions", "payments/transactions:/ipCountryCode"
QUICK = RetryPolicy(Timeouts(total=2.5, attempt=1.2, ordinary=Backoff(0.02, 0.3), throttled=THROTTLED))
ROOMY = RetryPolicy(Timeouts(total=20.0, attempt=4.0, ordinary=Backoff(0.02, 0.3), throttled=THROTTLED))
ITEMS = Items(("transactionID",), "ipCountryCode", timedelta(days=60), "Transaction")


@dataclass(frozen=True)
class Platform:
    """Where the two services are and who may use them."""

    entra: str
    account: str
    admin: str
    key: str
    tls: TlsFiles
    identities: Identities

    def identity(self, role: str = "Sender", **changes: str) -> Identity:
        client = self.identities.client_in_role(role)  # type: ignore[arg-type]
        login = ServicePrincipal(
            self.identities.tenant, client.client_id, client.secret, self.entra, str(self.tls.authority)
        )
        return make_identity(replace(login, **changes))

    def connection(self, **changes: object) -> CosmosConnection:
        return replace(CosmosConnection(self.account, DATABASE, ca_bundle=str(self.tls.authority)), **changes)

    def cosmos(self, **changes: object) -> AzureCosmos:
        made = AzureCosmos(self.connection(), self.identity(), retry=ROOMY, breaker=Breaker(rest=0.5))
        return replace(made, **changes)

    def order(self, path: str, **body: object) -> dict[str, object]:
        answer = requests.post(f"{self.admin}/{path}", json=body, timeout=5)
        answer.raise_for_status()
        return dict(answer.json())

    def calm(self) -> None:
        requests.delete(f"{self.admin}/faults", timeout=5)
        self.order("throughput", units=1_000_000)

    def injected(self, kind: str) -> int:
        faults = requests.get(f"{self.admin}/faults", timeout=5).json()["faults"]
        return sum(fault["injected"] for fault in faults if fault["kind"] == kind)

    def stored(self) -> dict[tuple[str, str], dict[str, object]]:
        """Read all items, by partition key and id."""
        with (
            warnings.catch_warnings(action="ignore", category=InsecureRequestWarning),  # of this client on localhost
            CosmosClient(self.account, self.key, connection_verify=False) as client,
        ):
            container = client.get_database_client(DATABASE).get_container_client(CONTAINER)
            rows = list(container.query_items("SELECT * FROM c", enable_cross_partition_query=True))
        return {(row["ipCountryCode"], row["id"]): row for row in rows}


@contextlib.contextmanager
def running_platform(folder: Path) -> Iterator[Platform]:
    """Run both services, each in a process of its own, for the length of a block."""
    tls, identities, who = make_tls_files(folder), make_identities(), folder / "identities.json"
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    write_identities(identities, who)
    write_key(key, folder / "key")
    shown = ["--certificate", tls.server, "--identities", who]
    with running_service("entra", "--port", 0, *shown) as entra:
        made = ["--container", LATER, "--throughput", 1_000_000, "--partitions", 4, "--key-file", folder / "key"]
        trust = ["--issuer", entra["issuer"], "--ca", tls.authority]
        with running_service("cosmos", "--port", 0, "--admin-port", 0, *made, *trust, *shown) as addresses:
            yield Platform(entra["authority"], addresses["account"], addresses["admin"], key, tls, identities)
