"""The sender against a local Cosmos DB that is throttled, away, or comes back; and with the spill around it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from emulators.tls import make_tls_files
from shared.clients.spilling import spilling
from shared.clients.storage.fake_spill import FakeSpill
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed
from tests.integration.cosmos.stage import CONTAINER, ITEMS, QUICK


def rows(run: str, count: int, country: str = "BR") -> list[Event]:
    body = '{{"transactionID": "{0}-{1:04d}", "ipCountryCode": "{2}"}}'
    return [Event(body.format(run, n, country).encode(), 1, {}, country) for n in range(count)]


async def test_a_container_with_little_throughput_takes_everything_at_its_own_pace(platform):
    platform.order("throughput", units=4 * 500)  # 500 RU/s for the partition of BR: a batch a second

    async with platform.cosmos().sender(CONTAINER, ITEMS) as sender:
        delivery = await sender.send(rows("slow", 400))
        charge = sender.charge

    assert delivery == Delivery(accepted=400, events=400)
    assert (charge.units, charge.requests) == (2_000, 4)
    assert charge.throttled > 0
    assert charge.units_per_second < 1_500


async def test_too_many_requests_for_a_while_are_waited_out(platform):
    platform.order("faults", kind="too_many_requests", seconds=1.5, retry_after_ms=300)

    async with platform.cosmos().sender(CONTAINER, ITEMS) as sender:
        delivery = await sender.send(rows("busy", 10))

    assert delivery == Delivery(accepted=10, events=10)
    assert 1 <= sender.charge.throttled <= 5  # not once more often than it was told


@pytest.mark.parametrize("kind", ["away", "gone", "retry_with", "timeout", "error", "unavailable", "lost_answer"])
async def test_a_failure_that_passes_is_tried_again_and_doubles_nothing(platform, kind):
    platform.order("faults", kind=kind, count=2)

    async with platform.cosmos().sender(CONTAINER, ITEMS) as sender:
        delivery = await sender.send(rows(f"passes-{kind}", 5))

    assert delivery == Delivery(accepted=5, events=5)
    assert len([name for _, name in platform.stored() if name.startswith(f"passes-{kind}-")]) == 5


async def test_an_answer_that_comes_too_late_is_unknown(platform):
    platform.order("faults", kind="slow", count=1_000, delay=5)

    async with platform.cosmos(retry=QUICK).sender(CONTAINER, ITEMS) as sender:
        with pytest.raises(SendFailed, match="no answer within") as caught:
            await sender.send(rows("late", 1))

    assert caught.value.kind is FailureKind.UNAVAILABLE


async def test_a_reader_may_not_write(platform):
    async with platform.cosmos(identity=platform.identity("Receiver")).sender(CONTAINER, ITEMS) as sender:
        with pytest.raises(LoginRefused, match="5301"):
            await sender.send(rows("reader", 1))


async def test_a_peer_whose_certificate_is_not_trusted_gets_nothing(platform, tmp_path):
    other = make_tls_files(tmp_path).authority
    connection = replace(platform.connection(), ca_bundle=str(other), key=platform.key)

    async with platform.cosmos(connection=connection).sender(CONTAINER, ITEMS) as sender:
        with pytest.raises(SendFailed, match="certificate") as caught:
            await sender.send(rows("untrusted", 1))

    assert caught.value.kind is FailureKind.PERMANENT


async def test_half_of_the_partition_keys_spill_while_the_others_go_on(platform):
    platform.order("faults", kind="unavailable", count=100_000, share=0.5)
    spill = FakeSpill(lambda: datetime.now(UTC))
    events = [event for n in range(12) for event in rows("half", 10, f"C{n}")]

    async with (
        platform.cosmos(retry=QUICK).sender(CONTAINER, ITEMS) as sender,
        spilling(
            sender, spill, stream="transactions", hub="cosmos", attempt_id="payments-20261127T100000Z/1.1",
            clock=lambda: datetime.now(UTC),
        ) as around,
    ):  # fmt: skip
        delivery = await around.send(events)

    stored = [key for key, name in platform.stored() if name.startswith("half-")]
    assert 0 < delivery.spilled < 120
    assert delivery == Delivery(accepted=len(stored), events=len(stored), spilled=120 - len(stored))


async def test_a_sender_that_is_cancelled_leaves_no_connection_behind(platform):
    platform.order("faults", kind="slow", count=1_000, delay=30)

    async def send() -> None:
        async with platform.cosmos().sender(CONTAINER, ITEMS) as sender:
            await sender.send(rows("cancelled", 1))

    sending = asyncio.create_task(send())
    while platform.injected("slow") == 0:  # noqa: ASYNC110 (the service can only be asked)
        await asyncio.sleep(0.05)
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
