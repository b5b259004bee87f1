"""Links to every partition, made ahead by names that Azure's client keeps to itself."""

from collections.abc import AsyncIterator

import pytest

from shared.clients.event_hubs.amqp import AmqpLink
from shared.clients.identity.credentials import make_identity
from shared.clients.links import LinkFault
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind


@pytest.fixture
async def link(platform) -> AsyncIterator[AmqpLink]:
    made = AmqpLink(platform.connection(), "trades", make_identity(platform.login("Sender")))
    await made.open()
    yield made
    await made.close()


async def test_a_link_connects_to_every_partition_of_its_hub_ahead_of_events(link):
    partitions = await link.partitions()

    await link.connect(partitions)

    assert partitions == ("0", "1", "2", "3")
    for partition in partitions:
        await link.send(await link.fill(partition, [Event(b"{}", 1, {}, "us")]))


async def test_a_partition_that_a_hub_has_not_is_named(link):
    with pytest.raises(LinkFault, match="Invalid partition 77") as fault:
        await link.connect(("77",))

    assert fault.value.kind is FailureKind.PERMANENT
    assert not fault.value.may_be_stored


async def test_a_sender_that_connects_ahead_sends_all(platform):
    events = [Event(b"{}", 1, {}, f"key-{number}") for number in range(40)]

    async with platform.hubs().sender("trades", ahead=True) as sender:
        assert await sender.send(events) == Delivery(accepted=40, events=40)
