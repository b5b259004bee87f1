"""F4: the hub is busy for a fifth of what is sent, then for all of it, in both of its ways to say so."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
import requests

from shared.clients.event_hubs.hubs import Breaker
from shared.clients.retrying import Backoff, Clock, RetryPolicy, Timeouts
from tests.faults.producing import Hub, Producer
from tests.faults.verdict import Arrival

SENDERS, BATCH, EVERY = 8, 5, 0.1
"""Of each of the two ways: 400 events a second."""
WAYS = {"trades": "reject_busy", "transactions": "detach_busy"}
LATE = 2.0
"""Seconds that a batch has at least to arrive, once it is due: the machine may be busy with other things."""

LONGEST_WAIT = 30.0
"""Seconds: of a throttled sender, and between the probes of one that leaves its hub alone."""


@dataclass(frozen=True)
class Times:
    """The seconds of each part; `scale` makes the waits of the app's own policy shorter."""

    calm: float
    partly: float
    storm: float
    scale: float

    @property
    def recovery(self) -> float:
        """Give how long it may take until all senders are back."""
        return LONGEST_WAIT * self.scale

    def retry(self, seed: int) -> RetryPolicy:
        """Give the policy of one sender, with waits of its own."""
        waits = Backoff(0.5 * self.scale, 30 * self.scale), Backoff(4 * self.scale, 30 * self.scale)
        patience = Timeouts(self.storm + 3 * self.recovery, max(2.0, 10 * self.scale), *waits)
        return RetryPolicy(patience, Clock(jitter=random.Random(seed).random))


SHORT, LONG = Times(6, 2, 6, 0.1), Times(15, 15, 60, 1.0)


@dataclass(frozen=True)
class Marks:
    """When calm and storm's end were (seconds since 1970), and the attempts by hub in the storm's second half."""

    calm: float
    clear: float
    attempts: Mapping[str, int]


@pytest.mark.timeout(600)
async def test_a_storm_quietens_the_senders_and_they_come_back(platform, sized, figures):
    times = (SHORT, LONG)[sized(0, 1)]
    hubs = {name: Hub.of(platform, name) for name in WAYS}
    producers = {name: [Producer(f"{name}-{number}") for number in range(SENDERS)] for name in WAYS}
    due: dict[str, list[float]] = {one.source: [] for some in producers.values() for one in some}
    async with _producing(platform, producers, times, due):
        marks = await _storm(platform, times)

    back_at = []
    for name, way in WAYS.items():
        arrivals = await hubs[name].arrivals()
        verdict = await hubs[name].verdict(*producers[name])
        of_hub = {one.source: due[one.source] for one in producers[name]}
        calm = _rate(arrivals, of_hub, marks.calm, times.calm)
        back = _rate(arrivals, of_hub, marks.clear + times.recovery, times.calm)
        stormy = marks.attempts[name] * BATCH / (times.storm / 2)
        first = _first_of_each(arrivals, marks.clear)
        back_at += first
        soon = sum(at < marks.clear + times.recovery + LATE for at in first)
        figures.exactly(f"{way}: lost", len(verdict.lost), 0)
        figures.exactly(f"{way}: unknown or failed", sum(_untold(one) for one in producers[name]), 0)
        figures.at_least(f"{way}: attempts fell by", 100 * (1 - stormy / calm), 80.0, "%")
        figures.at_least(f"{way}: rate {times.recovery:g} s after", 100 * back / calm, 95.0, "%")
        figures.all_of(f"{way}: senders that came back within {times.recovery + LATE:g} s", soon, SENDERS)
    spread = (max(back_at) - min(back_at)) / times.recovery
    figures.at_least("all came back spread over", 100 * spread, 50.0, "% of the longest wait")


async def _storm(platform, times: Times) -> Marks:
    calm = time.time()
    await asyncio.sleep(times.calm)
    for name, kind in WAYS.items():
        platform.order("faults", kind=kind, hub=name, share=0.2, seed=1)
    await asyncio.sleep(times.partly)
    platform.clear()
    for name, kind in WAYS.items():
        platform.order("faults", kind=kind, hub=name, share=1.0)
    await asyncio.sleep(times.storm / 2)
    before = _injected(platform)
    await asyncio.sleep(times.storm / 2)
    attempts = {hub: injected - before[hub] for hub, injected in _injected(platform).items()}
    platform.clear()
    clear = time.time()
    await asyncio.sleep(times.recovery + times.calm + LATE)
    return Marks(calm, clear, attempts)


def _injected(platform) -> dict[str, int]:
    faults = requests.get(f"{platform.admin}/faults", timeout=5).json()["faults"]
    return {one["hub"]: one["injected"] for one in faults}


@contextlib.asynccontextmanager
async def _producing(
    platform, producers: Mapping[str, list[Producer]], times: Times, due: Mapping[str, list[float]]
) -> AsyncIterator[None]:
    """Let all producers send at their pace for the length of a block, once all have sent a first batch.

    due: notes by producer when each later batch was due (seconds since 1970).
    """
    over, seeds, epoch = asyncio.Event(), itertools.count(), time.time() - time.monotonic()
    connected = asyncio.Barrier(SENDERS * len(producers) + 1)

    async def one(hub: str, producer: Producer, seed: int) -> None:
        hubs = platform.hubs(retry=times.retry(seed), breaker=Breaker(rest=LONGEST_WAIT * times.scale))
        async with hubs.sender(hub) as sender:
            await producer.send(sender, BATCH)
            await connected.wait()
            turn = time.monotonic() + EVERY * seed / SENDERS
            while not over.is_set():
                await asyncio.sleep(turn - time.monotonic())  # what is late is sent at once
                due[producer.source].append(epoch + turn)
                await producer.send(sender, BATCH)
                turn += EVERY

    async with asyncio.TaskGroup() as group:
        for hub, some in producers.items():
            for producer in some:
                group.create_task(one(hub, producer, next(seeds)))
        await connected.wait()
        yield
        over.set()


def _rate(arrivals: list[tuple[Arrival, float]], due: Mapping[str, list[float]], begin: float, seconds: float) -> float:
    """Give the events a second of the batches that were due in these seconds and had arrived soon after their end."""
    came = {(one.event.source, one.event.number // BATCH) for one, at in arrivals if at < begin + seconds + LATE}
    wanted = [
        (source, number)
        for source, moments in due.items()
        for number, moment in enumerate(moments, start=1)  # the first batch is due at no time
        if begin <= moment < begin + seconds
    ]
    return BATCH * sum(one in came for one in wanted) / seconds


def _first_of_each(arrivals: list[tuple[Arrival, float]], after: float) -> list[float]:
    first: dict[str, float] = {}
    for one, at in arrivals:
        if at >= after:
            first[one.event.source] = min(at, first.get(one.event.source, at))
    return list(first.values())


def _untold(producer: Producer) -> int:
    return sum(told.value != "accepted" for told in producer.ledger.values())
