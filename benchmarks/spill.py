"""What spilling and redriving cost: beside plain sending of the same events, and what a slice that spills grows."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from statistics import median
from time import perf_counter, process_time

import pyarrow as pa

from benchmarks.interleaved import Row, compare
from benchmarks.memory import MOST_MEGABYTES, RATE, SECONDS, measured
from benchmarks.sending import PROPERTIES, LocalHub, draw, running_hub
from emulators.testing import running_service
from shared.clients.destination import Sender
from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.spilling import spilling
from shared.clients.storage.account import Account
from shared.clients.storage.spill import Spill, blob_spill
from shared.domain.delivery import Event
from shared.feeds.drawing.pool import Pool
from shared.feeds.packing import Packing, as_events
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments
from shared.flows.redrive import redrive
from shared.flows.redriver import RedriveTools

WINDOW = "payments-20261122T100000Z"
CHUNK = 2_000
ROUNDS, BATCHES = 5, 5
LEAST_REDRIVEN = 5_000.0
LEAST_OF_SENDING = 0.5
BRIEF = RetryPolicy(Timeouts(2.0, 0.5, Backoff(0.05), Backoff(0.05)))
PACKINGS = {"a record an event": Packing("row"), "packed": Packing("pack")}
_tries = count(1)


def rows() -> list[Row]:
    """Measure spilling, redriving, and the memory of a slice whose hub is away for all of it."""
    pa.set_cpu_count(1)
    pool = build(1)
    payments = Payments(pool)
    with running_hub() as hub, running_spill() as spill:
        return [
            *(row for label in PACKINGS for row in _spilling(hub, spill, payments, label)),
            *(_redriving(hub, spill, payments, label) for label in PACKINGS),
            _memory(hub, spill, pool),
        ]


def _spilling(hub: LocalHub, spill: Spill, payments: Payments, label: str) -> list[Row]:
    chunks = [_events(payments, number, PACKINGS[label]) for number in range(4)]
    with asyncio.Runner() as runner:
        run = runner.get_loop().run_until_complete
        ways = {"spilling": spilled(hub, spill), "sending": hub.hubs.sender("transactions")}
        senders = {name: run(way.__aenter__()) for name, way in ways.items()}

        clocks = {name: WallClock() for name in ways}

        def side(name: str, turn: Iterator[int]) -> tuple[int, int]:
            events = chunks[next(turn) % len(chunks)]
            with clocks[name].turn():
                delivery = run(senders[name].send(events))
            rows = delivery.accepted + delivery.spilled
            clocks[name].rows += rows
            return rows, sum(len(event.body) for event in events)

        ours, peer = count(), count()
        run(senders["spilling"].send(chunks[0]))  # finds the hub away
        found = compare(
            f"records per CPU-second into the spill, {label}",
            lambda: side("spilling", ours),
            {"sending": lambda: side("sending", peer)},
            {"sending": LEAST_OF_SENDING},
        )
        for way in ways.values():
            run(way.__aexit__(None, None, None))
    spilling, sending = clocks["spilling"].rate, clocks["sending"].rate
    note = f"{spilling:,.0f} beside {sending:,.0f}, the storage's and the hub's own work with it"
    return [
        *found,
        Row(f"records per wall-clock second into the spill, {label}", "sending", spilling / sending, None, note=note),
    ]


@dataclass(slots=True)
class WallClock:
    """How many rows one side got done in how much time, waiting included."""

    rows: int = 0
    seconds: float = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        began = perf_counter()
        yield
        self.seconds += perf_counter() - began

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def _redriving(hub: LocalHub, spill: Spill, payments: Payments, label: str) -> Row:
    with asyncio.Runner() as runner:
        rates = [runner.run(_redriven(hub, spill, payments, label)) for _ in range(ROUNDS)]
    note = f"{min(rates):,.0f} to {max(rates):,.0f} in {ROUNDS} rounds of {CHUNK * BATCHES:,}"
    return Row(f"records redriven per CPU-second, {label}", "-", median(rates), LEAST_REDRIVEN, note=note)


async def _redriven(hub: LocalHub, spill: Spill, payments: Payments, label: str) -> float:
    stream = f"round_{next(_tries)}"
    async with spilled(hub, spill, stream) as sender:
        for number in range(BATCHES):
            await sender.send(_events(payments, number, PACKINGS[label]))
    first, *_ = await asyncio.to_thread(spill.batches, f"{stream}/")
    tools = RedriveTools(
        spill, lambda batch, _, on_refusal: hub.hubs.sender(batch.hub, on_refusal), _now, lambda: 0.5, "pass", _nobody
    )
    began = process_time()
    await redrive(tools, json.dumps({"version": 1, "path": first.path}).encode())
    spent = process_time() - began
    done = await asyncio.to_thread(spill.batches, f"{stream}/", ["redriven"])
    assert sum(batch.rows for batch in done) == CHUNK * BATCHES
    return CHUNK * BATCHES / spent


def _memory(hub: LocalHub, spill: Spill, pool: Pool) -> Row:
    grown, counts, late = asyncio.run(measured(spilled(hub, spill), pool))
    delivery = counts.delivery
    assert delivery.spilled == counts.read
    note = f"{delivery.spilled:,} records spilled; the slice of {SECONDS} s ended {late:.1f} s late"
    what = f"{RATE:,.0f} records/s for {SECONDS} s"
    return Row("memory of a slice that spills throughout, MB grown", what, grown, MOST_MEGABYTES, True, note)


@asynccontextmanager
async def _spilled(hub: LocalHub, spill: Spill, stream: str):
    away = replace(hub.hubs.connection, custom_endpoint="sb://127.0.0.1:9")
    async with replace(hub.hubs, connection=away, retry=BRIEF).sender("transactions") as sender:
        names = {"stream": stream, "hub": "transactions", "attempt_id": f"{WINDOW}/0.{next(_tries)}"}
        async with spilling(sender, spill, clock=_now, **names) as around:
            yield around


def spilled(hub: LocalHub, spill: Spill, stream: str = "transactions") -> AbstractAsyncContextManager[Sender]:
    """Connect to a hub that is not there, with its spill around it."""
    return _spilled(hub, spill, stream)


@contextmanager
def running_spill() -> Iterator[Spill]:
    """Run Azurite in a process of its own."""
    ports = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service("storage", "--location", folder, *ports) as addresses,
    ):
        account = Account(addresses["connection_string"], "", FakeIdentity())
        yield blob_spill(account, account)


def _events(payments: Payments, number: int, packing: Packing) -> list[Event]:
    records = draw(payments, number * CHUNK, CHUNK)
    contract, slice_id = PROPERTIES["contract"], PROPERTIES["slice"]
    return as_events(records, packing, contract=contract, slice_id=slice_id, partitions=4)[0]


def _now() -> datetime:
    return datetime.now(UTC)


async def _nobody(window_id: str) -> None:
    """Tell nobody that a window is drained."""


if __name__ == "__main__":
    for row in rows():
        print(
            row.name, "|", row.beside, f"| {row.ratio:.4g} of {row.bar}", "| met" if row.met else "| NOT MET", row.note
        )
