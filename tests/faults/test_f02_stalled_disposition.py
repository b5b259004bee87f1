"""F2: the hub takes messages and never settles them; the sender keeps its own deadline."""

import asyncio
import contextlib
import time

import psutil

from shared.clients.event_hubs.hubs import Breaker
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from tests.faults.lag import measured_lag
from tests.faults.producing import Hub, Producer
from tests.faults.spilling import spilling_slice
from tests.faults.verdict import judge

LATENESS = 0.5
SENDERS, BATCH = 8, 50
SPILLED, SPILLED_WITHIN = 10, 1.0
STALLS = (False, True, False)  # whether what the hub does not settle is stored


def patient(seconds: float) -> RetryPolicy:
    return RetryPolicy(Timeouts(seconds, seconds * 0.55, Backoff(0.05, 0.3), Backoff(0.1, 0.5)))


async def test_a_stalled_hub_holds_nobody_longer_than_the_deadline(platform, sized, figures):
    deadline, hub = float(sized(3, 10)), Hub.of(platform, "trades")
    producers = [Producer(f"stalled-{number}") for number in range(SENDERS)]
    hubs = platform.hubs(retry=patient(deadline), breaker=Breaker(rest=0.2))

    spent = []
    await _calm_round(hubs, producers)
    before = _megabytes()
    async with measured_lag() as lag:
        for stored in STALLS:
            some = await _in_a_stall(platform, hubs, producers, stored)
            spent += some
    grown = _megabytes() - before
    verdict = await hub.verdict(*producers)

    figures.all_of("sends that failed", sum(was for _, was in spent), SENDERS * len(STALLS))
    longest = max(seconds for seconds, _ in spent) - lag.longest
    figures.at_most("longest send, less the loop's lag", longest, deadline + LATENESS, "s")
    figures.at_most("memory grown", grown, 20.0, "MB")
    figures.exactly("lost", len(verdict.lost), 0)
    figures.exactly("phantom", len(verdict.phantom), 0)


async def test_what_a_stalled_hub_does_not_settle_is_spilled_within_a_second(platform, store, sized, figures):
    deadline, hub = float(sized(3, 10)), Hub.of(platform, "trades")
    producers = [Producer(f"spilled-{number}") for number in range(SENDERS)]
    hubs, spill = platform.hubs(retry=patient(deadline), breaker=Breaker(rest=30.0)), store.spill()
    async with contextlib.AsyncExitStack() as stack:
        slices = [
            await stack.enter_async_context(spilling_slice(hubs, spill, "trades", number)) for number in range(SENDERS)
        ]
        await asyncio.gather(*(_timed(*pair) for pair in zip(producers, slices, strict=True)))
        before = _megabytes()
        platform.order("faults", kind="stall", share=1.0, stored=True)
        async with measured_lag() as lag:
            for _ in range(SPILLED):
                await asyncio.gather(*(_timed(*pair) for pair in zip(producers, slices, strict=True)))
        grown = _megabytes() - before
        platform.clear()

    ledger = {event: told for producer in producers for event, told in producer.ledger.items()}
    arrived = [*(one for one, _ in await hub.arrivals()), *await asyncio.to_thread(store.arrivals)]
    verdict = judge(ledger, arrived)
    kept = [seconds for one in slices for seconds in one.kept]
    waited = [seconds for one in slices for seconds in one.waited]
    figures.all_of("sends that were spilled", len(kept), SENDERS * SPILLED)
    longest, spilling = max(waited) - lag.longest, max(kept) - lag.longest
    figures.at_most("longest send with its spill, less the lag", longest, deadline + LATENESS + SPILLED_WITHIN, "s")
    figures.at_most("longest spill after the hub's failure, less the lag", spilling, SPILLED_WITHIN, "s")
    figures.at_most("memory grown while spilling", grown, 20.0, "MB")
    figures.exactly("lost, of hub and spill together", len(verdict.lost), 0)
    figures.exactly("bodies changed on the way, of both", verdict.doubled, 0)


async def _calm_round(hubs, producers) -> None:
    async with contextlib.AsyncExitStack() as stack:
        senders = [await stack.enter_async_context(hubs.sender("trades")) for _ in producers]
        await _calm(producers, senders)


async def _calm(producers, senders) -> None:
    spent = await asyncio.gather(*(_timed(*pair) for pair in zip(producers, senders, strict=True)))
    assert not any(failed for _, failed in spent)


async def _in_a_stall(platform, hubs, producers, stored) -> list[tuple[float, bool]]:
    """Give for each producer how long its send took while the hub stalled, and whether it failed."""
    async with contextlib.AsyncExitStack() as stack:
        senders = [await stack.enter_async_context(hubs.sender("trades")) for _ in producers]
        await _calm(producers, senders)
        platform.order("faults", kind="stall", share=1.0, stored=stored)
        spent = await asyncio.gather(*(_timed(*pair) for pair in zip(producers, senders, strict=True)))
        platform.clear()
    return spent


async def _timed(producer, sender) -> tuple[float, bool]:
    began = time.monotonic()
    failure = await producer.send(sender, BATCH)
    return time.monotonic() - began, failure is not None


def _megabytes() -> float:
    return psutil.Process().memory_info().rss / 1e6
