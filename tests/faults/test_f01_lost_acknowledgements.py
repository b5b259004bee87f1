"""F1: the hub stores a message and hangs up before it says so, for five of a hundred."""

import asyncio

from tests.faults.producing import Hub, Producer
from tests.faults.verdict import Told
from tests.integration.sending.stage import ROOMY

BATCHES, BATCH, SIDE_BY_SIDE = 1_000, 10, 25


async def test_lost_acknowledgements_lose_nothing_and_double_only_what_they_hit(platform, sized, figures):
    hub, faults, producers = Hub.of(platform, "trades"), 0, []
    for seed in range(sized(1, 10)):
        platform.order("faults", kind="lose_ack", hub="trades", share=0.05, seed=seed)
        some = await _producers_of(platform, seed)
        producers += some
        faults += platform.injected()
        platform.clear()

    verdict = await hub.verdict(*producers)
    accepted = sum(told is Told.ACCEPTED for producer in producers for told in producer.ledger.values())

    figures.at_least("acknowledgements lost", faults, len(producers) * BATCHES // SIDE_BY_SIDE * 0.03)
    figures.exactly("lost", len(verdict.lost), 0)
    figures.exactly("phantom", len(verdict.phantom), 0)
    figures.all_of("events that were told to be accepted", accepted, len(producers) * BATCHES // SIDE_BY_SIDE * BATCH)
    figures.at_most("stored again", verdict.doubled_raw, 2 * faults * BATCH)
    figures.exactly("bodies changed on the way", verdict.doubled, 0)


async def _producers_of(platform, seed: int) -> list[Producer]:
    producers = [Producer(f"{seed}-{number}") for number in range(SIDE_BY_SIDE)]
    await asyncio.gather(*(_send_all(platform, producer) for producer in producers))
    return producers


async def _send_all(platform, producer: Producer) -> None:
    async with platform.hubs(retry=ROOMY).sender("trades") as sender:
        for _ in range(BATCHES // SIDE_BY_SIDE):
            await producer.send(sender, BATCH)
