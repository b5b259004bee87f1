"""The local hub and identity provider in processes of their own, and a sender of the test's events."""

import asyncio
import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from azure.eventhub import EventData, TransportType
from azure.eventhub.aio import EventHubProducerClient

from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.hub import Hub
from lakehouse.sources.hub_client import LoopCredential

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv/bin/python"
NAMESPACE = "local.servicebus.windows.net"
_MAKE_FILES = """
import json, sys
from pathlib import Path
from emulators.entra.identities import make_identities, write_identities
from emulators.tls import make_tls_files
folder = Path(sys.argv[1])
tls = make_tls_files(folder)
write_identities(make_identities(), folder / "identities.json")
print(json.dumps({"authority": str(tls.authority), "server": str(tls.server)}))
"""


@dataclass(frozen=True)
class Event:
    """One event to send, by its partition key or to a partition."""

    body: bytes
    properties: Mapping[str, object]
    key: str | None = None
    partition: str | None = None


@dataclass(frozen=True)
class Platform:
    """Where the services are and who may use them."""

    entra: str
    issuer: str
    amqps: str
    tls: Mapping[str, str]
    identities: Mapping[str, object]
    folder: Path

    @contextlib.contextmanager
    def hubs(self, hubs: str, *more: str) -> Iterator["Platform"]:
        """Run an event hubs service, one more of those that know the same identities; it is a new epoch."""
        options = ["--hubs", hubs, "--amqps-port", "0", "--admin-port", "0", "--issuer", self.issuer, *more]
        trust = ["--authority", self.tls["authority"], "--certificate", self.tls["server"]]
        who = ["--identities", self.folder / "identities.json"]
        with service("event_hubs", self.folder, *options, *trust, *who) as addresses:
            yield replace(self, amqps=addresses["amqps"])

    def hub(self, name: str, role: str = "Receiver") -> Hub:
        client = next(one for one in self.identities["clients"] if one["event_hubs_role"] == role)
        return Hub(
            name,
            NAMESPACE,
            self.identities["tenant"],
            client["client_id"],
            client["secret"],
            endpoint=self.amqps,
            authority_host=self.entra,
            ca_bundle=self.tls["authority"],
        )

    def config(self, **changes: object) -> SourceConfig:
        hub = self.hub("any")
        config = SourceConfig(
            "eventhubs",
            namespace=hub.namespace,
            endpoint=hub.endpoint,
            authority_host=hub.authority_host,
            ca_bundle=hub.ca_bundle,
            tenant_id=hub.tenant_id,
            client_id=hub.client_id,
            client_secret=hub.client_secret,
        )
        return replace(config, **changes)

    def send(self, hub: str, events: Sequence[Event]) -> None:
        """Send events one by one, each by its key or to its partition."""
        asyncio.run(self._send(hub, events))

    async def _send(self, hub: str, events: Sequence[Event]) -> None:
        async with self._producer(hub) as producer:
            for event in events:
                await producer.send_batch([_data(event)], partition_id=event.partition, partition_key=event.key)

    def send_many(self, hub: str, partition: str, bodies: Sequence[bytes], properties: Mapping[str, object]) -> None:
        """Send a partition many events in full batches."""
        asyncio.run(self._send_many(hub, partition, [_data(Event(body, properties)) for body in bodies]))

    async def _send_many(self, hub: str, partition: str, events: Sequence[EventData]) -> None:
        async with self._producer(hub) as producer:
            batch = await producer.create_batch(partition_id=partition)
            for event in events:
                if batch.size_in_bytes + len(event.body_as_str()) + _ROOM > batch.max_size_in_bytes:
                    await producer.send_batch(batch)
                    batch = await producer.create_batch(partition_id=partition)
                batch.add(event)
            await producer.send_batch(batch)

    def _producer(self, name: str) -> EventHubProducerClient:
        hub = self.hub(name, "Sender")
        return EventHubProducerClient(
            hub.namespace,
            name,
            LoopCredential(hub),
            transport_type=TransportType.Amqp,
            custom_endpoint_address=hub.endpoint,
            connection_verify=hub.ca_bundle,
        )


@contextlib.contextmanager
def platform(folder: Path, hubs: str) -> Iterator[Platform]:
    """Run both services for the length of a block; `hubs` is like `trades:2,empty:1`."""
    made = subprocess.run([PYTHON, "-c", _MAKE_FILES, folder], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    tls, who = json.loads(made.stdout), folder / "identities.json"
    common = ["--certificate", tls["server"], "--identities", who, "--port", "0"]
    with service("entra", folder, *common) as entra:
        found = Platform(entra["authority"], entra["issuer"], "", tls, json.loads(who.read_text()), folder)
        with found.hubs(hubs) as serving:
            yield serving


@contextlib.contextmanager
def service(name: str, folder: Path, *options: object) -> Iterator[dict[str, str]]:
    """Run one service of the local platform; yields its addresses."""
    command = [PYTHON, "-m", f"emulators.{name}", *map(str, options)]
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield json.loads(process.stdout.readline())["addresses"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            process.stdout.close()


def _data(event: Event) -> EventData:
    data = EventData(event.body)
    data.properties = dict(event.properties)
    return data


_ROOM = 2_000
