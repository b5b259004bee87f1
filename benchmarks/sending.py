"""Records into a hub: packed beside the official client's own ways; the hub runs in a process of its own, over TLS."""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from statistics import median
from time import perf_counter

import pyarrow as pa
import requests
from azure.eventhub import EventData, TransportType
from azure.eventhub.aio import EventHubProducerClient
from faker import Faker

from benchmarks.interleaved import Row, Side, compare
from benchmarks.peers import faker_plain
from emulators.entra.identities import make_identities, write_identities
from emulators.testing import running_service
from emulators.tls import make_tls_files
from shared.clients.destination import Sender
from shared.clients.event_hubs.hubs import AzureEventHubs, HubConnection
from shared.clients.identity.credentials import LoopIdentity, ServicePrincipal, make_identity
from shared.feeds.feed import Position
from shared.feeds.packing import Packing, as_events
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments
from shared.feeds.records import Records

NAMESPACE = "local.servicebus.windows.net"
HUBS = {"single": 1, "transactions": 4}
PROPERTIES = {"contract": "transactions/1", "slice": "payments-20261122T100000Z/1.1"}
START = 1_795_341_600_000_000  # 2026-11-22T10:00:00Z
RATE = 10_000.0
CHUNK = 16_384
LATENCY = 0.005


@dataclass(frozen=True)
class LocalHub:
    """A running hub, and how to reach it."""

    hubs: AzureEventHubs
    admin: str

    def producer(self) -> EventHubProducerClient:
        """Make the official client for the hub of one partition, logged in as ours is."""
        return EventHubProducerClient(
            NAMESPACE,
            "single",
            LoopIdentity(self.hubs.identity),
            transport_type=TransportType.Amqp,
            custom_endpoint_address=self.hubs.connection.custom_endpoint,
            connection_verify=self.hubs.connection.ca_bundle,
        )

    def delay(self, seconds: float) -> None:
        """Let the hub wait that long before each acknowledgement."""
        requests.post(f"{self.admin}/latency", json={"seconds": seconds}, timeout=5).raise_for_status()


def rows() -> list[Row]:
    """Measure the three rows of sending."""
    pa.set_cpu_count(1)
    payments = Payments(build(1))
    with running_hub() as hub, Ends(hub) as ends:
        return [*_cpu_per_record(ends, payments), *_from_generator(ends, payments), *_with_latency(hub, ends, payments)]


def _cpu_per_record(ends: "Ends", payments: Payments) -> list[Row]:
    records = [draw(payments, first * CHUNK, CHUNK) for first in range(4)]
    peer = "SDK full batches"
    return [
        row
        for label, packing in PACKINGS.items()
        for row in compare(
            f"records per CPU-second into the hub, {label}",
            ends.packed("transactions", cycle(records), packing),
            {peer: ends.full_batches(cycle(lines_of(records)))},
            {peer: 20.0},
        )
    ]


def _from_generator(ends: "Ends", payments: Payments) -> list[Row]:
    fake, peer = Faker("en_US"), "plain Faker + EventData + full batches"
    made = (line.removesuffix(b"\n") for _ in count() for line in faker_plain.lines(fake, 100))
    drawn = (draw(payments, first, CHUNK) for first in count(0, CHUNK))
    return [
        row
        for label, packing in PACKINGS.items()
        for row in compare(
            f"generator → socket, {label}",
            ends.packed("transactions", drawn, packing),
            {peer: ends.full_batches(made)},
            {peer: 80.0},
        )
    ]


def _with_latency(hub: LocalHub, ends: "Ends", payments: Payments) -> list[Row]:
    records = [draw(payments, first * CHUNK, CHUNK) for first in range(4)]
    sides = {
        **{label: ends.packed("single", cycle(records), packing) for label, packing in PACKINGS.items()},
        "SDK single sends": ends.single_sends(cycle(lines_of(records))),
        "SDK full batches": ends.full_batches(cycle(lines_of(records))),
    }
    hub.delay(LATENCY)
    try:
        return compare_by_wall("5 ms acknowledgement, one connection", sides, BARS_AT_5_MS)
    finally:
        hub.delay(0)


def compare_by_wall(name: str, sides: Mapping[str, Side], bars: Mapping[str, float], rounds: int = 7) -> list[Row]:
    """Compare as `interleaved.compare` does, but by the clock on the wall: latency costs no CPU."""
    for side in sides.values():
        side()
    laps = [{label: _rate(side, 0.5) for label, side in sides.items()} for _ in range(rounds)]
    for label in sides:
        rates = [lap[label] for lap in laps]
        print(f"{name} | {label}: {median(rates):,.0f} rows a second ({min(rates):,.0f} to {max(rates):,.0f})")
    return [
        _row(name, ours, peer, [lap[ours] / lap[peer] for lap in laps], bars[peer])
        for ours in sides
        if ours not in bars
        for peer in bars
    ]


def _row(name: str, ours: str, peer: str, ratios: list[float], bar: float) -> Row:
    note = f"by the clock on the wall; {min(ratios):.4g} to {max(ratios):.4g} in {len(ratios)} rounds"
    return Row(f"{name}, {ours}", peer, median(ratios), bar, note=note)


def _rate(side: Side, seconds: float) -> float:
    made, start = 0, perf_counter()
    while (spent := perf_counter() - start) < seconds:
        made += side()[0]
    return made / spent


@dataclass
class Ends:
    """Our sender and the official client, both connected, on one loop."""

    hub: LocalHub
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    senders: dict[str, Sender] = field(default_factory=dict)

    def __enter__(self) -> "Ends":
        self.producer = self.hub.producer()
        self.contexts = {name: self.hub.hubs.sender(name) for name in HUBS}
        self.senders = {name: self.run(context.__aenter__()) for name, context in self.contexts.items()}
        return self

    def __exit__(self, *_: object) -> None:
        for context in self.contexts.values():
            self.run(context.__aexit__(None, None, None))
        self.run(self.producer.close())
        self.runner.close()

    def run[T](self, work: Coroutine[object, object, T]) -> T:
        return self.runner.get_loop().run_until_complete(work)

    def packed(self, hub: str, chunks: Iterator[Records], packing: Packing) -> Side:
        """Pack and send one chunk of records a call."""
        contract, slice_id, partitions = PROPERTIES["contract"], PROPERTIES["slice"], HUBS[hub]

        def side() -> tuple[int, int]:
            events, _ = as_events(next(chunks), packing, contract=contract, slice_id=slice_id, partitions=partitions)
            delivery = self.run(self.senders[hub].send(events))
            return delivery.accepted, sum(len(event.body) for event in events)

        return side

    def full_batches(self, lines: Iterator[bytes]) -> Side:
        """Fill one batch of one-record events and send it, as the SDK's own samples do."""
        return lambda: self.run(self._full_batch(lines))

    async def _full_batch(self, lines: Iterator[bytes]) -> tuple[int, int]:
        batch = await self.producer.create_batch()
        for line in lines:
            try:
                batch.add(event_data(line))
            except ValueError:
                break
        await self.producer.send_batch(batch)
        return len(batch), batch.size_in_bytes

    def single_sends(self, lines: Iterator[bytes]) -> Side:
        """Send ten records, each by itself."""

        async def ten() -> tuple[int, int]:
            sent = [next(lines) for _ in range(10)]
            for line in sent:
                await self.producer.send_event(event_data(line))
            return len(sent), sum(map(len, sent))

        return lambda: self.run(ten())


def event_data(line: bytes) -> EventData:
    data = EventData(line)
    data.properties = dict(PROPERTIES)
    return data


def draw(payments: Payments, first: int, length: int) -> Records:
    """Draw transactions of about 850 bytes."""
    return payments.records(Position("payments-20261122T100000Z", 1, first, length, START, RATE))


def lines_of(records: Sequence[Records]) -> list[bytes]:
    """Give the records' lines without their newlines."""
    return [line.removesuffix(b"\n") for some in records for line in some.lines.to_pylist()]


@contextmanager
def running_hub() -> Iterator[LocalHub]:
    """Run the local hub and identity provider, each in its own process."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tls, identities, who = make_tls_files(folder), make_identities(), folder / "identities.json"
        write_identities(identities, who)
        options = ["--certificate", str(tls.server), "--identities", str(who)]
        with running_service("entra", "--port", "0", *options) as entra:
            hubs = ["--hubs", ",".join(f"{name}:{count}" for name, count in HUBS.items()), "--amqps-port", "0"]
            trust = ["--admin-port", "0", "--issuer", entra["issuer"], "--authority", str(tls.authority)]
            with running_service("event_hubs", *hubs, *trust, *options) as addresses:
                client, bundle = identities.client_in_role("Sender"), str(tls.authority)
                login = ServicePrincipal(identities.tenant, client.client_id, client.secret, entra["authority"], bundle)
                connection = HubConnection(NAMESPACE, addresses["amqps"], bundle)
                yield LocalHub(AzureEventHubs(connection, make_identity(login)), addresses["admin"])


PACKINGS = {"packed": Packing("pack"), "packed with zstd": Packing("pack", encoding="zstd")}
BARS_AT_5_MS = {"SDK single sends": 700.0, "SDK full batches": 4.5}

if __name__ == "__main__":
    for row in rows():
        print(
            row.name, "|", row.beside, f"| {row.ratio:.3g} of {row.bar}", "| met" if row.met else "| NOT MET", row.note
        )
