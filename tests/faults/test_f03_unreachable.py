"""F3: the hub can't be reached: it is silent, resets, is not there, has no name, or speaks something else."""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from shared.clients.event_hubs.hubs import Breaker
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.fake_spill import FakeSpill
from tests.faults.figures import percentile
from tests.faults.lag import measured_lag
from tests.faults.producing import Producer
from tests.faults.spilling import spilling_slice
from tests.integration.sending.stage import listener

LATENESS = 0.5
THRESHOLD = 3


@contextlib.asynccontextmanager
async def _resetting() -> AsyncIterator[str]:
    """A peer that accepts and resets at once."""

    class Peer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            lingering = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
            transport.abort()  # type: ignore[attr-defined]

    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    try:
        yield f"sb://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def _closed() -> AsyncIterator[str]:
    async with listener() as address:
        pass
    yield address


PEERS: dict[str, Callable[[], contextlib.AbstractAsyncContextManager[str]]] = {
    "silent": listener,
    "reset": _resetting,
    "closed": _closed,
    "no such name": lambda: contextlib.nullcontext("sb://no-such-host.invalid:5671"),
    "no TLS": lambda: listener(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
}


@dataclass(frozen=True)
class Watched(Breaker):
    """A breaker, and when each attempt failed."""

    attempts: list[float] = field(default_factory=list)

    def failed(self, now: float, began: float, draw: float) -> Breaker:
        self.attempts.append(now)
        return super().failed(now, began, draw)


@dataclass
class Observed:
    """How long sends took that made attempts, and those that made none; when each attempt was over (each failed)."""

    sends: list[float] = field(default_factory=list)
    at_once: list[float] = field(default_factory=list)
    attempts: list[float] = field(default_factory=list)

    def gaps(self) -> list[float]:
        """Give the seconds between attempts."""
        return [after - before for before, after in pairwise(self.attempts)]


async def test_an_unreachable_hub_costs_a_deadline_at_most_and_is_soon_left_alone(platform, sized, figures):
    deadline, rest = float(sized(2, 10)), float(sized(3, 30))
    try_ = deadline * 0.2

    async with measured_lag() as lag:
        observed = await asyncio.gather(
            *(_observe(platform, make, Timeouts(deadline, try_, Backoff(0.05, 0.3)), rest) for make in PEERS.values())
        )

    at_once = [seconds for one in observed for seconds in one.at_once]
    gaps = [one.gaps() for one in observed]
    probes = [gap for of_one in gaps for gap in of_one[THRESHOLD - 1 :]]
    longest = max(max(one.sends) for one in observed) - lag.longest
    slowest = max(percentile(at_once, 99) - lag.percentile(99), 0.0)
    figures.at_most("longest send, less the loop's lag", longest, deadline + LATENESS, "s")
    figures.all_of("left alone after 3", sum(max(of[: THRESHOLD - 1]) < rest / 2 <= of[2] for of in gaps), len(PEERS))
    figures.at_least("refused without an attempt while it is left alone", len(at_once), 100)
    figures.at_most("of those 99 %, less 99 % of the lag", 1e3 * slowest, 50.0, "ms")
    figures.at_least("shortest time between probes", min(probes), rest / 2, "s")
    figures.at_most("longest time between probes, less the lag", max(probes) - lag.longest, rest + try_ + LATENESS, "s")


@pytest.mark.parametrize(("where", "bar"), [("memory", 50.0), ("Azurite", 1000.0)])
async def test_while_a_hub_is_left_alone_a_batch_is_spilled_at_once(platform, store, sized, figures, where, bar):
    """Azurite shares the machine with the tests, so its bar is that of F2; memory holds what the app itself takes."""
    spill = FakeSpill(lambda: datetime.now(UTC)) if where == "memory" else store.spill()
    producer, count = Producer("spilled"), sized(100, 500)
    async with _closed() as address:
        hubs = platform.hubs(connection=platform.connection(custom_endpoint=address), breaker=Breaker(THRESHOLD, 300.0))
        async with measured_lag() as lag, spilling_slice(hubs, spill, "single", 1) as out:
            assert await producer.send(out, 5) is None
            out.kept.clear()
            for _ in range(count):
                assert await producer.send(out, 5) is None

    slowest = 1e3 * max(percentile(out.kept, 99) - lag.percentile(99), 0.0)
    figures.all_of(f"batches spilled at once, into {where}", len(out.kept), count)
    figures.at_most(f"of those 99 %, into {where}, less that of the lag", slowest, bar, "ms")


async def _observe(platform, make, timeouts: Timeouts, rest: float) -> Observed:
    """Send again and again for three and a half times the rest of the breaker."""
    breaker = Watched(THRESHOLD, rest)
    seen = Observed(attempts=breaker.attempts)
    producer, end = Producer("lonely"), time.monotonic() + 3.5 * rest
    async with make() as address:
        connection = platform.connection(custom_endpoint=address)
        hubs = platform.hubs(connection=connection, retry=RetryPolicy(timeouts), breaker=breaker)
        async with hubs.sender("single") as sender:
            while time.monotonic() < end:
                began, before = time.monotonic(), len(seen.attempts)
                assert await producer.send(sender, 5) is not None
                spent = time.monotonic() - began
                (seen.sends if len(seen.attempts) > before else seen.at_once).append(spent)
                await asyncio.sleep(0.02)
    return seen
