"""Thirty seconds at the pace of one throughput unit (1,000 records a second): by the grid beside send and sleep."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter, process_time

from benchmarks.interleaved import Row
from benchmarks.sending import PROPERTIES, Ends, draw, event_data, lines_of, running_hub
from shared.domain.pacing import due, next_tick
from shared.feeds.packing import Packing, as_events
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments
from shared.feeds.records import Records

RATE = 1_000.0
SECONDS = 30
TICK_US = 100_000
NAME = "pace at 1 throughput unit for 30 s"


@dataclass(frozen=True)
class PacedSend:
    """Records acknowledged by the end of the last slot's tick, and the CPU-seconds of the client."""

    sent: int
    cpu: float

    @property
    def cpu_per_record(self) -> float:
        return self.cpu / self.sent


def rows() -> list[Row]:
    """Measure both sides, one after the other: each has the hub for itself, and its own seconds."""
    records = draw(Payments(build(1)), 0, round(RATE * SECONDS))
    with running_hub() as hub, Ends(hub) as ends:
        ours = ends.run(_measured(lambda: _by_the_grid(ends, records)))
        plain = ends.run(_measured(lambda: _send_and_sleep(ends, lines_of([records]))))
    slots = round(RATE * SECONDS)
    for label, run in (("ours", ours), ("send + sleep", plain)):
        print(f"{NAME} | {label}: {run.sent:,} of {slots:,} slots, {run.cpu_per_record * 1e6:.1f} µs of CPU a record")
    return [
        Row(NAME, "all slots", ours.sent / slots, 0.9995, note=f"send + sleep fills {plain.sent / slots:.1%}"),
        Row(f"{NAME}, CPU", "send + sleep", ours.cpu_per_record / plain.cpu_per_record, 0.1, at_most=True),
    ]


async def _measured(send: Callable[[], Awaitable[int]]) -> PacedSend:
    start = process_time()
    sent = await send()
    return PacedSend(sent, process_time() - start)


async def _by_the_grid(ends: Ends, records: Records) -> int:
    """Wake up on the grid and send what is due by then, packed."""
    sent = in_time = 0
    await _send(ends, records.slice(0, 1))
    start = perf_counter()
    while sent < len(records):
        elapsed = int((perf_counter() - start) * 1e6)
        ready = due(elapsed, RATE, len(records))
        if ready > sent:
            taken = await _send(ends, records.slice(sent, ready))
            sent += taken
            in_time = sent if perf_counter() - start <= SECONDS + TICK_US / 1e6 else in_time
        tick = next_tick(int((perf_counter() - start) * 1e6), RATE, TICK_US)
        await asyncio.sleep(max(0.0, start + tick / 1e6 - perf_counter()))
    return in_time


async def _send(ends: Ends, records: Records) -> int:
    contract, slice_id = PROPERTIES["contract"], PROPERTIES["slice"]
    events, _ = as_events(records, Packing("pack"), contract=contract, slice_id=slice_id, partitions=1)
    return (await ends.senders["single"].send(events)).accepted


async def _send_and_sleep(ends: Ends, lines: list[bytes]) -> int:
    """Send one record, sleep for one slot, and so on."""
    await ends.producer.send_event(event_data(lines[0]))
    start, sent = perf_counter(), 0
    while perf_counter() - start < SECONDS and sent < len(lines):
        await ends.producer.send_event(event_data(lines[sent]))
        sent += 1
        await asyncio.sleep(1 / RATE)
    return sent


if __name__ == "__main__":
    for row in rows():
        print(
            row.name, "|", row.beside, f"| {row.ratio:.5g} of {row.bar}", "| met" if row.met else "| NOT MET", row.note
        )
