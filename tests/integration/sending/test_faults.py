"""Every fault of the hub against the sender: nothing lost, counts right, deadlines held."""

import asyncio
import time
from collections import Counter

import pytest

from shared.clients.event_hubs.hubs import Breaker
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.domain.delivery import Delivery, Event
from shared.errors import SendFailed
from tests.integration.sending.stage import QUICK, ROOMY, Platform, listener, read_back

LATENESS = 0.5


def numbered(first: int, count: int, partition: str | None = None) -> list[Event]:
    return [Event(b"%06d" % n, 1, {"contract": "t/1"}, partition_id=partition) for n in range(first, first + count)]


async def bodies(platform: Platform, hub: str, since) -> Counter[bytes]:
    found = await read_back(platform, hub, since)
    return Counter(event.body_as_str().encode() for events in found.values() for event in events)


async def failed(sender, events: list[Event]) -> tuple[SendFailed, float]:
    began = time.monotonic()
    with pytest.raises(SendFailed) as caught:
        await sender.send(events)
    return caught.value, time.monotonic() - began


async def test_lost_acknowledgements_lose_nothing_and_double_only_what_they_hit(platform):
    since, batch, batches = platform.stored("single"), 10, 40
    async with platform.hubs(retry=ROOMY).sender("single") as sender:
        platform.order("faults", kind="lose_ack", share=0.05, seed=7)
        total = Delivery()
        for number in range(batches):
            delivery = await sender.send(numbered(number * batch, batch))
            total += delivery

    hits = platform.injected()
    stored = await bodies(platform, "single", since)
    assert hits > 0
    assert (total.accepted, total.unknown) == (batch * batches, 0)
    assert set(stored) == {b"%06d" % n for n in range(batch * batches)}
    assert 0 < stored.total() - batch * batches <= 2 * hits * batch


@pytest.mark.parametrize("stored", [False, True])
async def test_a_stalled_hub_costs_no_more_than_the_deadline(platform, stored):
    async with platform.hubs().sender("single") as sender:
        await sender.send(numbered(0, 1))
        platform.order("faults", kind="stall", next=1_000, stored=stored)

        failure, seconds = await failed(sender, numbered(0, 5))

    assert seconds <= QUICK.timeouts.total + LATENESS
    assert failure.delivery == Delivery(unknown=5)


async def test_after_a_single_stall_the_send_goes_on_with_a_new_connection(platform):
    async with platform.hubs(retry=ROOMY).sender("single") as sender:
        await sender.send(numbered(0, 1))
        platform.order("faults", kind="stall", next=1)

        delivery = await sender.send(numbered(0, 5))

    assert delivery == Delivery(accepted=5, events=5)


@pytest.mark.parametrize("kind", ["drop", "reject_busy", "detach_busy"])
async def test_faults_that_end_leave_everything_delivered_in_order(platform, kind):
    since = platform.stored("trades")
    async with platform.hubs(retry=ROOMY).sender("trades") as sender:
        await sender.send([event for part in "01" for event in numbered(0, 2, part)])
        platform.order("faults", kind=kind, next=2)
        delivery = await sender.send([event for part in "01" for event in numbered(2, 20, part)])

    assert delivery == Delivery(accepted=40, events=40)
    for events in (await read_back(platform, "trades", since)).values():
        assert [event.body_as_str() for event in events] == [f"{n:06}" for n in range(22)]


@pytest.mark.parametrize(("kind", "hits"), [("reject_busy", 8), ("detach_busy", 3)])
async def test_a_throttling_storm_slows_the_sender_down_and_it_recovers_after(platform, kind, hits):
    retry, since = RetryPolicy(Timeouts(20.0, 4.0, Backoff(0.05, 0.5), Backoff(0.4, 0.8))), platform.stored("single")
    async with platform.hubs(retry=retry, breaker=Breaker(rest=0.7)).sender("single") as sender:
        calm, seconds = await _calm_rate(sender)
        platform.order("faults", kind=kind, share=1.0)
        began, storming = time.monotonic(), asyncio.create_task(sender.send(numbered(calm, 200)))
        await platform.wait_for_injected(hits)
        stormy = time.monotonic() - began
        platform.clear()
        delivery = await storming

    assert hits / stormy <= 0.2 * calm / seconds
    assert delivery == Delivery(accepted=200, events=200)
    assert await bodies(platform, "single", since) == Counter(b"%06d" % n for n in range(calm + 200))


async def _calm_rate(sender) -> tuple[int, float]:
    await sender.send(numbered(0, 1))
    began = time.monotonic()
    for number in range(1, 21):
        await sender.send(numbered(number, 1))
    return 21, time.monotonic() - began


async def test_a_throttled_hub_gets_everything_in_its_own_time(platform):
    since = platform.stored("trades")
    async with platform.hubs(retry=RetryPolicy(Timeouts(30.0, 5.0, Backoff(0.05, 1.0), Backoff(0.3, 1.0)))).sender(
        "trades"
    ) as sender:
        await sender.send(numbered(0, 1, "0"))
        platform.order("throttle", units=1)
        total = Delivery()
        for number in range(4):
            delivery = await sender.send(numbered(1 + number * 500, 500, str(number % 4)))
            total += delivery

    assert total.accepted == 2_000
    assert set(await bodies(platform, "trades", since)) == {b"%06d" % n for n in range(2_001)}


async def test_a_peer_that_never_speaks_costs_no_more_than_the_deadline(platform):
    async with listener() as address:
        hubs = platform.hubs(connection=platform.connection(custom_endpoint=address))
        async with hubs.sender("single") as sender:
            failure, seconds = await failed(sender, numbered(0, 5))

    assert seconds <= QUICK.timeouts.total + LATENESS
    assert failure.delivery == Delivery()


async def test_a_closed_port_opens_the_breaker_and_the_next_send_fails_at_once(platform):
    async with listener() as address:
        connection = platform.connection(custom_endpoint=address)
    hubs = platform.hubs(connection=connection, breaker=Breaker(rest=30.0))

    async with hubs.sender("single") as sender:
        first, seconds = await failed(sender, numbered(0, 5))
        _, at_once = await failed(sender, numbered(0, 5))

    assert seconds <= QUICK.timeouts.total + LATENESS
    assert first.delivery == Delivery()
    assert at_once < 0.05


async def test_a_name_that_does_not_resolve_is_a_failed_send(platform):
    connection = platform.connection(custom_endpoint="sb://no-such-host.invalid:5671")

    async with platform.hubs(connection=connection).sender("single") as sender:
        failure, seconds = await failed(sender, numbered(0, 1))

    assert seconds <= QUICK.timeouts.total + LATENESS
    assert failure.delivery == Delivery()


async def test_garbage_instead_of_tls_is_a_failed_send(platform):
    async with listener(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        hubs = platform.hubs(connection=platform.connection(custom_endpoint=address))
        async with hubs.sender("single") as sender:
            failure, seconds = await failed(sender, numbered(0, 1))

    assert seconds <= QUICK.timeouts.total + LATENESS
    assert failure.delivery == Delivery()


async def test_a_stop_in_the_middle_of_a_stall_returns_at_once(platform):
    async with platform.hubs().sender("single") as sender:
        await sender.send(numbered(0, 1))
        platform.order("faults", kind="stall", next=1_000)
        sending = asyncio.create_task(sender.send(numbered(0, 5)))
        await platform.wait_for_injected(1)
        began = time.monotonic()

        sending.cancel()

        with pytest.raises(asyncio.CancelledError):
            await sending
    assert time.monotonic() - began < 1.5
