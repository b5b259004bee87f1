"""The local Cosmos DB in a process of its own, and Microsoft's own client of it."""

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from azure.cosmos.aio import CosmosClient

from emulators.entra.identities import Identities, make_identities, write_identities
from emulators.key_files import write_key
from emulators.testing import running_service
from emulators.tls import TlsFiles, make_tls_files

DATABASE, CONTAINER = "shop", "orders"
PARTITIONS = 3
THROUGHPUT = 300_000


@dataclass(frozen=True)
class Stage:
    """Where the services are, and who may use them."""

    account: str
    admin: str
    entra: str
    key: str
    tls: TlsFiles
    identities: Identities

    def client(self, credential: object = None) -> CosmosClient:
        return CosmosClient(
            self.account, credential or self.key, connection_verify=False, retry_throttle_backoff_max=-1
        )

    def container(self, client: CosmosClient):
        return client.get_database_client(DATABASE).get_container_client(CONTAINER)

    def order(self, path: str, **body: object) -> dict:
        answer = requests.post(f"{self.admin}/{path}", json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def partitions(self) -> list[dict]:
        return requests.get(f"{self.admin}/containers", timeout=5).json()["containers"][0]["partitions"]

    def token(self, role: str) -> str:
        client = self.identities.client_in_role(role)
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.secret,
            "scope": "https://cosmos.azure.com/.default",
        }
        url = f"{self.entra}/{self.identities.tenant}/oauth2/v2.0/token"
        return requests.post(url, data=form, verify=str(self.tls.authority), timeout=5).json()["access_token"]

    def ask(self, method: str, path: str, token: str, **more: object) -> requests.Response:
        headers = {"Authorization": f"type=aad&ver=1.0&sig={token}"} | more.pop("headers", {})
        return requests.request(
            method, f"{self.account}{path}", headers=headers, verify=str(self.tls.authority), timeout=5, **more
        )


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("cosmos")
    tls, identities, who = make_tls_files(folder), make_identities(), folder / "identities.json"
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    write_identities(identities, who)
    write_key(key, folder / "key")
    shown = ["--certificate", tls.server, "--identities", who]
    made = ["--container", f"{DATABASE}/{CONTAINER}:/country", "--throughput", THROUGHPUT, "--partitions", PARTITIONS]
    with running_service("entra", "--port", 0, *shown) as entra:
        trust = ["--issuer", entra["issuer"], "--ca", tls.authority, "--key-file", folder / "key"]
        with running_service("cosmos", "--port", 0, "--admin-port", 0, *made, *trust, *shown) as addresses:
            yield Stage(addresses["account"], addresses["admin"], entra["authority"], key, tls, identities)


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    yield running
    requests.delete(f"{running.admin}/faults", timeout=5)
    running.order("throughput", units=THROUGHPUT)


@pytest.fixture
async def container(stage: Stage):
    async with stage.client() as client:
        yield stage.container(client)
