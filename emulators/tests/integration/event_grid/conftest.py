"""The grid, its identity provider, its storage and a real Functions host, each a process of its own."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.eventgrid import EventGridPublisherClient
from azure.identity import ClientSecretCredential

from emulators.entra.identities import Identities, make_identities, read_identities, write_identities
from emulators.key_files import make_key, read_key, write_key
from emulators.testing import running_service
from emulators.tls import make_tls_files
from tests.integration.functions_host.conftest import APPS, Host

STORAGE = "EVENT_GRID_TEST_STORAGE"


@dataclass(frozen=True)
class Grid:
    """The running grid: where it is, how to get in, and the host its events go to."""

    addresses: dict
    authority: str
    identities: Identities
    key: str
    ca: Path
    storage: str
    host: Host

    def send(self, events, credential=None, **options):
        """Send by the sync client: for basic topics version 4.22.1 passes on no option but those of `send`."""
        with EventGridPublisherClient(self.addresses["topic"], credential or AzureKeyCredential(self.key)) as client:
            client.send(events, connection_verify=str(self.ca), **options)

    def publish(self, *events):
        self.send(list(events))

    def credential(self, kind=ClientSecretCredential):
        who = self.identities.clients[0]
        options = {"authority": self.authority, "disable_instance_discovery": True, "connection_verify": str(self.ca)}
        return kind(self.identities.tenant, who.client_id, who.secret, **options)

    def admin(self, method, path, body=None):
        answer = requests.request(method, self.addresses["admin"] + path, json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def seen(self, path, count, seconds=15, **wanted):
        """Poll `/deliveries` or `/dead-letters` until `count` notes match."""
        deadline = time.monotonic() + seconds
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        while len(found := next(iter(self.admin("GET", f"{path}?{query}").values()))) < count:
            assert time.monotonic() < deadline, f"{path} holds {found}"
            time.sleep(0.03)
        return found

    def subscribe(self, name, endpoint=None, **fields):
        """Add a subscription of the host's Event Grid function and wait until it is validated."""
        endpoint = endpoint or f"{self.host.url}/runtime/webhooks/EventGrid?functionName=on_grid_event"
        self.admin("PUT", f"/subscriptions/{name}", {"endpoint": endpoint} | fields)
        self.seen_validated(name)

    def seen_validated(self, name, seconds=15):
        deadline = time.monotonic() + seconds
        while self.subscription(name)["provisioningState"] != "Succeeded":
            assert time.monotonic() < deadline, f"{name} was not validated"
            time.sleep(0.03)

    def subscription(self, name):
        listed = self.admin("GET", "/subscriptions")["subscriptions"]
        return next(found for found in listed if found["name"] == name)

    def ran(self, effect, event_id):
        return [found for found in map(json.loads, self.host.effect(effect)) if found["id"] == event_id]


@pytest.fixture(scope="session")
def storage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("azurite")
    ports = [word for service in ("blob", "queue", "table") for word in (f"--{service}-port", 0)]
    with running_service("storage", "--location", folder, *ports) as addresses:
        yield addresses["connection_string"]


@pytest.fixture(scope="session")
def host(tmp_path_factory):
    running = Host(APPS / "grid", tmp_path_factory.mktemp("host") / "state.sqlite")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def files(tmp_path_factory, host):
    """What the grid's command line names: certificates, identities, the key, one subscription in each schema."""
    folder = tmp_path_factory.mktemp("files")
    make_tls_files(folder)
    write_identities(make_identities(), folder / "identities.json")
    write_key(make_key(), folder / "key")
    hook = f"{host.url}/runtime/webhooks/EventGrid?functionName="
    cloud = {"name": "clouds", "endpoint": f"{hook}on_cloud_event", "eventDeliverySchema": "CloudEventSchemaV1_0"}
    grid = {"name": "windows", "endpoint": f"{hook}on_grid_event", "subjectBeginsWith": "ADF_Trigger_"}
    (folder / "subscriptions.json").write_text(json.dumps({"subscriptions": [cloud, grid]}))
    return folder


def arguments(files, issuer):
    named = {"certificate": "server.pem", "ca": "ca.pem", "identities": "identities.json", "key-file": "key"}
    words = [word for name, file in named.items() for word in (f"--{name}", files / file)]
    ports = ["--port", 0, "--admin-port", 0]
    return [*words, *ports, "--issuer", issuer, "--subscriptions", files / "subscriptions.json"]


@pytest.fixture(scope="session")
def grid(files, storage, host):
    os.environ[STORAGE] = storage
    tls = ("--certificate", files / "server.pem", "--identities", files / "identities.json")
    scaled = ("--storage", STORAGE, "--time-scale", 0.001)
    with (
        running_service("entra", *tls, "--port", 0) as entra,
        running_service("event_grid", *arguments(files, entra["issuer"]), *scaled, log=files / "log") as addresses,
    ):
        identities, key = read_identities(files / "identities.json"), read_key(files / "key")
        yield Grid(addresses, entra["authority"], identities, key, files / "ca.pem", storage, host)
    del os.environ[STORAGE]


@pytest.fixture(autouse=True)
def calm(grid):
    """No fault and no subscription of another test."""
    yield
    grid.admin("DELETE", "/faults")
    for found in grid.admin("GET", "/subscriptions")["subscriptions"]:
        if found["name"] not in {"clouds", "windows"}:
            grid.admin("DELETE", f"/subscriptions/{found['name']}")
