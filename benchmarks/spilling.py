"""An outage: how fast records are kept beside sending them, how fast they are sent again, and what a slice grows by."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from statistics import median
from time import perf_counter, process_time

import pyarrow as pa

from benchmarks.interleaved import Row
from benchmarks.memory import MOST_MEGABYTES, RATE, measured
from benchmarks.sending import HUBS, PROPERTIES, draw, running_hub
from emulators.testing import running_service
from shared.clients.destination import Sender
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.identity.credentials import ManagedIdentity, make_identity
from shared.clients.spilling import spilling
from shared.clients.storage.spill import Spill, blob_spill
from shared.clients.storage.spill_encoding import decode
from shared.domain.delivery import Delivery, Event
from shared.errors import SendFailed
from shared.feeds.drawing.pool import Pool
from shared.feeds.packing import Packing, as_events
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments
from shared.feeds.records import Records

CHUNK = 8_192
ROUNDS = 5
REDRIVEN = 2
LEAST_SHARE = 0.5
LEAST_REDRIVEN = 5_000.0
SECONDS = 20
KEYS = 20
LABELS = ("one record an event", "packed")
ATTEMPTS = (f"payments-20261122T100000Z/{number}.1" for number in count())


class Away:
    """A hub that takes nothing."""

    rest = 0.0

    async def send(self, events: Sequence[Event], *, briefly: bool = False) -> Delivery:  # noqa: ARG002
        if not events:
            return Delivery()
        raise SendFailed("the hub is away", unsettled=events)


def rows() -> list[Row]:
    """Measure all three, with the hub and the storage in processes of their own."""
    pa.set_cpu_count(1)
    pool = build(1)
    with running_hub() as hub, _running_spill() as spill:
        found = [row for label in LABELS for row in asyncio.run(_kept_and_sent_again(hub.hubs, spill, pool, label))]
        away = measured(lambda stream: _spilling(spill, stream.name, stream.hub), pool, SECONDS)
        grown, counts, late = asyncio.run(away)
    note = f"{counts.delivery.spilled:,} records spilled in {SECONDS + late:.1f} s"
    name = "memory of a slice that spills throughout, MB grown"
    return [*found, Row(name, f"{RATE:,.0f} records/s for {SECONDS} s", grown, MOST_MEGABYTES, True, note)]


async def _kept_and_sent_again(hubs: EventHubs, spill: Spill, pool: Pool, label: str) -> list[Row]:
    events, stream = _events(draw(Payments(pool), 0, CHUNK), label), f"spilled{len(label)}"
    async with hubs.sender("transactions") as hub, _spilling(spill, stream, "transactions") as around:
        for sender in (hub, around):
            await sender.send(events)
        shares = [await _rate(around, events) / await _rate(hub, events) for _ in range(ROUNDS)]
        rates = [await _redriven(hub, spill, stream) for _ in range(ROUNDS)]
    spread = f"by the clock on the wall; {min(shares):.3g} to {max(shares):.3g} in {ROUNDS} rounds"
    redriven = f"{min(rates):,.0f} to {max(rates):,.0f} in {ROUNDS} rounds"
    return [
        Row(f"records a second into the spill, {label}", "into the hub", median(shares), LEAST_SHARE, note=spread),
        Row(f"records sent again per CPU-second, {label}", "-", median(rates), LEAST_REDRIVEN, note=redriven),
    ]


def _events(records: Records, label: str) -> list[Event]:
    """Make a few large events, or one of each record with one of a few keys, as trades have them."""
    if label != "packed":
        lines = records.lines.to_pylist()
        return [Event(line, 1, PROPERTIES, f"key-{number % KEYS}") for number, line in enumerate(lines)]
    contract, slice_id, partitions = PROPERTIES["contract"], PROPERTIES["slice"], HUBS["transactions"]
    events, _ = as_events(records, Packing("pack"), contract=contract, slice_id=slice_id, partitions=partitions)
    return events


async def _rate(sender: Sender, events: Sequence[Event]) -> float:
    began = perf_counter()
    delivery = await sender.send(events)
    return (delivery.accepted + delivery.spilled) / (perf_counter() - began)


async def _redriven(hub: Sender, spill: Spill, stream: str) -> float:
    """Look at all that waits, read it, send it, and mark it; gives records per second of this process's CPU."""
    began, sent = process_time(), 0
    for batch in spill.batches(f"{stream}/")[:REDRIVEN]:
        content = spill.read(batch.path)
        delivery = await hub.send(decode(batch, content or b""))
        sent += delivery.accepted
        spill.mark(batch)
    return sent / (process_time() - began)


@contextlib.asynccontextmanager
async def _spilling(spill: Spill, stream: str, hub: str) -> AsyncIterator[Sender]:
    names = {"stream": stream, "hub": hub, "attempt_id": next(ATTEMPTS)}
    async with spilling(Away(), spill, clock=lambda: datetime.now(UTC), **names) as sender:
        yield sender


@contextlib.contextmanager
def _running_spill() -> Iterator[Spill]:
    ports = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service("storage", "--location", folder, *ports) as addresses,
    ):
        access = (addresses["connection_string"], "", make_identity(ManagedIdentity(None)))
        yield blob_spill(access, access)
