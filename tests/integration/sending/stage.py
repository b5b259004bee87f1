"""The hub and the identity provider as the sending tests see them, and how they read back what arrived."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import requests
from azure.eventhub import EventData, TransportType
from azure.eventhub.aio import EventHubConsumerClient

from emulators.entra.identities import Identities, make_identities, write_identities
from emulators.testing import running_service
from emulators.tls import TlsFiles, make_tls_files
from shared.clients.event_hubs.hubs import AzureEventHubs, Breaker, HubConnection
from shared.clients.identity.credentials import LoopIdentity, ServicePrincipal, make_identity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts

NAMESPACE = "local.servicebus.windows.net"
HUBS = {"trades": 4, "transactions": 10, "single": 1, "promotions": 2, "deliveries": 2}
QUICK = RetryPolicy(Timeouts(total=2.5, attempt=1.2, ordinary=Backoff(0.02, 0.3), throttled=Backoff(0.1, 0.5)))
ROOMY = RetryPolicy(Timeouts(total=20.0, attempt=4.0, ordinary=Backoff(0.02, 0.3), throttled=Backoff(0.1, 0.5)))
QUICK_BREAKER = Breaker(rest=0.5)


@dataclass(frozen=True)
class Platform:
    """Where the two services are and who may use them."""

    entra: str
    amqps: str
    websockets: str
    admin: str
    tls: TlsFiles
    identities: Identities

    def login(self, role: str = "Sender", **changes: str) -> ServicePrincipal:
        client = self.identities.client_in_role(role)  # type: ignore[arg-type]
        login = ServicePrincipal(
            self.identities.tenant, client.client_id, client.secret, self.entra, str(self.tls.authority)
        )
        return replace(login, **changes)

    def connection(self, **changes: object) -> HubConnection:
        return replace(HubConnection(NAMESPACE, self.amqps, str(self.tls.authority)), **changes)

    def websocket_connection(self, **changes: object) -> HubConnection:
        endpoint = f"sb://localhost:{urlsplit(self.websockets).port}"
        return self.connection(**({"custom_endpoint": endpoint, "over_websockets": True} | changes))

    def hubs(self, **changes: object) -> AzureEventHubs:
        hubs = AzureEventHubs(self.connection(), make_identity(self.login()), retry=QUICK, breaker=QUICK_BREAKER)
        return replace(hubs, **changes)

    def clear(self) -> None:
        requests.delete(f"{self.admin}/faults", timeout=5)

    def calm(self) -> None:
        self.clear()
        self.order("throttle", units=None)
        self.order("latency", seconds=0)

    def injected(self) -> int:
        return sum(rule["injected"] for rule in requests.get(f"{self.admin}/faults", timeout=5).json()["faults"])

    async def wait_for_injected(self, count: int) -> None:
        async with asyncio.timeout(20):
            while await asyncio.to_thread(self.injected) < count:  # noqa: ASYNC110 (the hub can only be asked)
                await asyncio.sleep(0.02)

    def order(self, path: str, **body: object) -> dict[str, object]:
        answer = requests.post(f"{self.admin}/{path}", json=body, timeout=5)
        answer.raise_for_status()
        return dict(answer.json())

    def stored(self, hub: str) -> list[dict[str, int]]:
        return list(requests.get(f"{self.admin}/hubs", timeout=5).json()["hubs"][hub])

    def stored_events(self, hub: str) -> int:
        return sum(partition["events"] for partition in self.stored(hub))


@contextlib.contextmanager
def running_platform(
    folder: Path, hubs: Mapping[str, int], *more: str, identities: Identities | None = None
) -> Iterator[Platform]:
    """Run both services, each in a process of its own, for the length of a block; `hubs` are name → partitions.

    more: further arguments of the hubs.
    """
    tls, identities, who = make_tls_files(folder), identities or make_identities(), folder / "identities.json"
    write_identities(identities, who)
    shown = ["--certificate", str(tls.server), "--identities", str(who)]
    with running_service("entra", "--port", "0", *shown) as entra:
        listed = ",".join(f"{name}:{count}" for name, count in hubs.items())
        hub = ["--hubs", listed, "--amqps-port", "0", "--websocket-port", "0"]
        trust = ["--admin-port", "0", "--issuer", entra["issuer"], "--authority", str(tls.authority)]
        with running_service("event_hubs", *hub, *trust, *shown, *more) as addresses:
            served = (addresses["amqps"], addresses["websockets"], addresses["admin"])
            yield Platform(entra["authority"], *served, tls, identities)


async def read_back(
    platform: Platform, hub: str, since: list[dict[str, int]], *, within: float = 20.0
) -> dict[str, list[EventData]]:
    """Read what each partition got since those partition descriptions, with the official consumer client."""
    identity = LoopIdentity(make_identity(platform.login("Receiver")))
    consumer = EventHubConsumerClient(
        NAMESPACE,
        hub,
        "$Default",
        identity,
        transport_type=TransportType.Amqp,
        custom_endpoint_address=platform.amqps,
        connection_verify=str(platform.tls.authority),
    )
    async with consumer:
        pairs = [
            pair for pair in zip(since, platform.stored(hub), strict=True) if pair[0]["events"] < pair[1]["events"]
        ]
        found = await asyncio.gather(*(_read_partition(consumer, *pair, within) for pair in pairs))
    return dict(found)


async def _read_partition(
    consumer: EventHubConsumerClient, before: dict[str, int], after: dict[str, int], within: float
) -> tuple[str, list[EventData]]:
    events: list[EventData] = []
    wanted, full = after["events"] - before["events"], asyncio.Event()

    async def take(_: object, batch: list[EventData]) -> None:
        events.extend(batch)
        if len(events) >= wanted:
            full.set()

    receiving = asyncio.create_task(
        consumer.receive_batch(
            take,
            partition_id=str(before["partition"]),
            starting_position=before["last_sequence_number"],
            max_wait_time=1,
            prefetch=3_000,
        )
    )
    async with asyncio.timeout(within):
        await full.wait()
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    return str(before["partition"]), events


@contextlib.asynccontextmanager
async def listener(greeting: bytes = b"") -> AsyncIterator[str]:
    """A peer that accepts, says its greeting and then nothing more; yields its address."""

    class Peer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.write(greeting)  # type: ignore[attr-defined]

    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    try:
        yield f"sb://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        server.abort_clients()
        await server.wait_closed()
