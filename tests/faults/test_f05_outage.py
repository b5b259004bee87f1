"""F5: the hub is away for ten minutes, and the queue of its spill fails now and then, before or after its work."""

import asyncio
import contextlib
import signal
import time

from azure.storage.blob import BlobLeaseClient, BlobServiceClient

from shared.clients.storage.spill import CONTAINER
from tests.faults.producing import LARGE, Hub, Producer
from tests.faults.redriving import Death, Host, kill_redrivers, tools_of
from tests.faults.spilling import WINDOW, spilling_slice, unreachable
from tests.integration.sending.stage import QUICK, ROOMY

QUEUE_FAILS = 0.05
SLICES, BATCH = 4, 500
"""200 events a second for ten minutes are 120,000; a slice sends what came in two and a half seconds."""
LAST_POINT = 30
LEASE_SECONDS = 60.0


async def test_an_outage_loses_nothing_and_drains_fast(platform, store, sized, figures):
    count, hub = sized(8_000, 120_000), Hub.of(platform, "trades")
    producers = [Producer(f"outage-{number}") for number in range(SLICES)]
    store.trouble.share = QUEUE_FAILS
    spill = store.spill(troubled=True)
    async with unreachable(platform) as hubs:
        for number, producer in enumerate(producers):
            async with spilling_slice(hubs, spill, "trades", number) as out:
                while len(producer.ledger) < count // SLICES:
                    assert await producer.send(out, BATCH) is None
    kept = await asyncio.to_thread(store.arrivals)

    host = Host.of(store.troubled, tools_of(spill, platform.hubs(retry=ROOMY)))
    clock, second = (time.monotonic, "second") if sized(0, 1) else (time.process_time, "CPU-second")
    began = clock()  # the short form shares the machine with other tests
    await host.serve(lambda: not spill.batches(states=["waiting"]))
    seconds = clock() - began
    verdict = await hub.verdict(*producers)

    figures.all_of("events spilled", len(kept), count)
    figures.at_least("of more than 48 KiB", sum(len(one.key) > LARGE for one in kept), count // 1000)
    figures.at_least("faults of the queue", store.trouble.met, 1)
    figures.at_least("drained", count / seconds, 1000.0, f"events a {second}")
    figures.exactly("lost", len(verdict.lost), 0)
    figures.exactly("phantom", len(verdict.phantom), 0)
    figures.exactly("out of order", verdict.disordered, 0)
    figures.exactly("bodies changed on the way", verdict.doubled, 0)
    figures.exactly("poison", len(host.poison) + spill.waiting_messages()[1], 0)


async def test_a_redriver_that_is_killed_at_any_step_loses_nothing(platform, store, sized, figures):
    hub, spill = Hub.of(platform, "transactions"), store.spill()
    points = range(1, LAST_POINT + 1, sized(8, 1))
    producers = [Producer(f"s{point}") for point in points]
    async with unreachable(platform) as hubs:
        await asyncio.gather(*(_spill_three(hubs, spill, producer) for producer in producers))

    deaths = [Death(f"s{point}/{WINDOW}/0000.1/000000.ndjson.zst", point) for point in points]
    ends = await asyncio.to_thread(kill_redrivers, store, platform, deaths)
    if sized(0, 1):
        await asyncio.sleep(LEASE_SECONDS)  # the locks of the dead run out
    else:
        await asyncio.to_thread(_break_locks, store)
    host = Host.of(store.connection, tools_of(spill, platform.hubs(retry=ROOMY)))
    await host.serve(lambda: not spill.batches(states=["waiting"]))
    verdict = await hub.verdict(*producers)

    figures.all_of("redrivers killed", ends.count(-signal.SIGKILL), len(points))
    figures.exactly("killed redrivers: lost", len(verdict.lost), 0)
    figures.at_most("killed redrivers: sent again, batches a kill", verdict.doubled_raw / 10 / len(points), 1.0)
    figures.exactly("killed redrivers: bodies changed on the way", verdict.doubled, 0)
    figures.exactly("killed redrivers: out of order", verdict.disordered, 0)
    figures.exactly("killed redrivers: poison", len(host.poison) + spill.waiting_messages()[1], 0)


async def test_where_the_queue_is_away_too_the_send_fails_and_nothing_is_acknowledged(platform, store, figures):
    producer, spill = Producer("nowhere"), store.spill(QUICK, troubled=True)
    store.trouble.away = True
    async with unreachable(platform) as hubs, spilling_slice(hubs, spill, "single", 1) as out:
        failure = await producer.send(out, BATCH)

    assert failure is not None
    assert "could not be spilled either" in str(failure)
    figures.exactly("queue away too: records acknowledged", failure.delivery.accepted + failure.delivery.spilled, 0)
    figures.exactly("queue away too: batches left behind", len(spill.batches()), 0)


async def _spill_three(hubs, spill, producer: Producer) -> None:
    async with spilling_slice(hubs, spill, "transactions", 0, stream=producer.source) as out:
        for _ in range(3):
            assert await producer.send(out, 10) is None


def _break_locks(store) -> None:
    with contextlib.closing(BlobServiceClient.from_connection_string(store.connection)) as service:
        container = service.get_container_client(CONTAINER)
        for name in container.list_blob_names():
            if name.endswith("/.lock"):
                BlobLeaseClient(container.get_blob_client(name)).break_lease(lease_break_period=0)
