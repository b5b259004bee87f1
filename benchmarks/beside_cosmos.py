"""Records into a hub and into Cosmos DB beside it: ours, and the official clients with one event and one item each.

Both services run in processes of their own, over TLS; only this process's CPU is counted.
"""

import asyncio
import base64
import json
import secrets
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
from azure.cosmos.aio import CosmosClient

from benchmarks.interleaved import Row, compare
from benchmarks.sending import PROPERTIES, LocalHub, draw, event_data, running_hub
from emulators.entra.identities import make_identities, write_identities
from emulators.key_files import write_key
from emulators.testing import running_service
from emulators.tls import make_tls_files
from shared.clients.cosmos.containers import AzureCosmos, CosmosConnection, Items
from shared.clients.destination import ChargedSender, OnRefusal
from shared.clients.identity.credentials import Identity
from shared.clients.storage.fake_spill import FakeSpill
from shared.contracts import Contract
from shared.domain.sinks import Sinks
from shared.domain.windows.plan import StreamPlan
from shared.feeds.packing import Packing, as_events
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments
from shared.feeds.records import Records
from shared.flows.destinations import DestinationTools, connect

DATABASE, CONTAINER = "ingestion", "transactions"
PLAN = StreamPlan(
    "transactions", ("transactions",), "transactions/1", "row", "identity", 0, cosmos=f"{DATABASE}/{CONTAINER}"
)
CHUNK = 1_000
SINGLES = 10
TTL = timedelta(days=60)
BAR = 3.0


@dataclass(frozen=True)
class LocalCosmos:
    """A running account, and how to reach it. identity: not asked, for the key logs in."""

    account: str
    key: str
    authority: str
    identity: Identity

    def container(
        self, contract: Contract, container: str, on_refusal: OnRefusal | None
    ) -> AbstractAsyncContextManager[ChargedSender]:
        """Connect as the app does."""
        connection = CosmosConnection(self.account, self.key, self.authority)
        items = Items.of(contract, TTL, "Transaction")
        return AzureCosmos(connection, self.identity).sender(container, items, on_refusal)


def rows() -> list[Row]:
    """Measure the one row."""
    pa.set_cpu_count(1)
    payments = Payments(build(1))
    with running_hub() as hub, running_cosmos(hub.hubs.identity) as cosmos, Ends(hub, cosmos, payments) as ends:
        peer = "azure-eventhub + azure-cosmos, one event and one item each"
        name = "records per CPU-second into a hub and Cosmos DB beside it"
        found = compare(name, ends.ours, {peer: ends.theirs}, {peer: BAR})
        return [replace(row, note=f"{row.note}; {ends.spilled} records spilled") for row in found]


@dataclass
class Ends:
    """Both ways, connected, on one loop; each sends records that nobody has sent before."""

    hub: LocalHub
    cosmos: LocalCosmos
    payments: Payments
    sinks: Sinks = field(default_factory=dict)
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    first: Iterator[int] = field(default_factory=lambda: count(0, CHUNK))

    def __enter__(self) -> "Ends":
        self.run(self._connect())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    def run[T](self, work: Coroutine[object, object, T]) -> T:
        return self.runner.get_loop().run_until_complete(work)

    async def _connect(self) -> None:
        spill = FakeSpill(lambda: datetime.now(UTC))
        tools = DestinationTools(self.hub.hubs, None, None, self.cosmos.container, lambda: datetime.now(UTC), spill)
        self.sender = await self.stack.enter_async_context(connect(PLAN, PROPERTIES["slice"], self.sinks, tools))
        self.producer = await self.stack.enter_async_context(self.hub.producer())
        client = CosmosClient(self.cosmos.account, self.cosmos.key, connection_verify=False)
        client = await self.stack.enter_async_context(client)
        self.container = client.get_database_client(DATABASE).get_container_client(CONTAINER)

    @property
    def spilled(self) -> int:
        return self.sinks["cosmos"].delivery.spilled

    def ours(self) -> tuple[int, int]:
        """Pack a chunk of records one an event, send it, and wait until both have it."""
        records = self._drawn(CHUNK)
        return self.run(self._sent(records))

    async def _sent(self, records: Records) -> tuple[int, int]:
        events, _ = as_events(records, Packing(), contract="transactions/1", slice_id=PROPERTIES["slice"], partitions=0)
        before = self.sinks["cosmos"].delivery
        delivery = await self.sender.send(events)
        while self._settled(before) < CHUNK:  # noqa: ASYNC110 - the backlog says nothing when it is empty
            await asyncio.sleep(0.01)
        return delivery.accepted, sum(len(event.body) for event in events)

    def _settled(self, before: object) -> int:
        now = self.sinks["cosmos"].delivery
        return now.accepted + now.spilled - before.accepted - before.spilled

    def theirs(self) -> tuple[int, int]:
        """Send ten records, each by itself to both at once."""
        lines = [line.removesuffix(b"\n") for line in self._drawn(SINGLES).lines.to_pylist()]
        return self.run(self._singly(lines))

    async def _singly(self, lines: list[bytes]) -> tuple[int, int]:
        for line in lines:
            record = json.loads(line)
            item = record | {"id": record["transactionID"], "ipCountryCode": record["ipCountryCode"] or "unk"}
            item |= {"ttl": int(TTL.total_seconds()), "collectionType": "Transaction"}
            await asyncio.gather(self.producer.send_event(event_data(line)), self.container.upsert_item(item))
        return len(lines), sum(map(len, lines))

    def _drawn(self, length: int) -> Records:
        return draw(self.payments, next(self.first), length)


@contextmanager
def running_cosmos(identity: Identity) -> Iterator[LocalCosmos]:
    """Run a local account with more throughput than either side needs, in processes of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tls, who = make_tls_files(folder), folder / "identities.json"
        key = base64.b64encode(secrets.token_bytes(64)).decode()
        write_identities(make_identities(), who)
        write_key(key, folder / "key")
        identified = ["--certificate", str(tls.server), "--identities", str(who)]
        with running_service("entra", "--port", "0", *identified) as entra:
            made = ["--container", f"{DATABASE}/{CONTAINER}:/ipCountryCode", "--throughput", "10000000"]
            trust = ["--key-file", str(folder / "key"), "--issuer", entra["issuer"], "--ca", str(tls.authority)]
            options = ["--port", "0", "--admin-port", "0", "--partitions", "4"]
            with running_service("cosmos", *options, *made, *trust, *identified) as addresses:
                yield LocalCosmos(addresses["account"], key, str(tls.authority), identity)


if __name__ == "__main__":
    for row in rows():
        print(
            row.name, "|", row.beside, f"| {row.ratio:.3g} of {row.bar}", "| met" if row.met else "| NOT MET", row.note
        )
