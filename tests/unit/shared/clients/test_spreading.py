import asyncio
from contextlib import AsyncExitStack

import pytest

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.spreading import Spread
from shared.domain.delivery import Delivery, Event
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, SendFailed

EVENTS = [Event(b"%d" % number, 2, {}, "key", block=number) for number in range(7)]
HUBS = ("a", "b", "c")


class Sender:
    """Ends as it is told, once it is let; keeps what it was given."""

    def __init__(self, end=None):
        self.end, self.given = end, []
        self.asked, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()

    async def send(self, events):
        self.asked.set()
        await self.may_end.wait()
        self.given += events
        if self.end is not None:
            raise self.end
        return Delivery(sum(event.rows for event in events), events=len(events))


def away(hub, **values):
    return SendFailed(f"hub {hub} is away", **values)


async def test_each_block_goes_to_the_hub_whose_turn_it_is_in_the_order_of_the_events():
    hubs = FakeEventHubs(dict.fromkeys(HUBS, 4))

    async with AsyncExitStack() as stack:
        senders = [await stack.enter_async_context(hubs.sender(hub)) for hub in HUBS]
        delivery = await Spread(senders, first=1).send(EVENTS)

    assert {hub: [int(event.body) for event in hubs.received[hub]] for hub in HUBS} == {
        "a": [2, 5],
        "b": [0, 3, 6],
        "c": [1, 4],
    }
    assert (delivery.accepted, delivery.events) == (14, 7)


async def test_hubs_are_sent_to_side_by_side():
    first, second = Sender(), Sender()
    first.may_end.clear()
    second.may_end.clear()

    sending = asyncio.create_task(Spread([first, second], 0).send(EVENTS))
    async with asyncio.timeout(5):
        await asyncio.gather(first.asked.wait(), second.asked.wait())
    first.may_end.set()
    second.may_end.set()

    assert (await sending).accepted == 14


async def test_a_hub_without_events_is_not_asked():
    second = Sender(LoginRefused("nobody asked"))

    assert (await Spread([Sender(), second], 0).send(EVENTS[:1])).accepted == 2
    assert (await Spread([Sender(), second], 0).send([])) == Delivery()


async def test_what_one_hub_does_not_take_costs_no_other_its_own_and_the_failure_counts_all():
    lost = EVENTS[1::3]
    senders = [Sender(), Sender(away("b", delivery=Delivery(unknown=1), unsettled=lost)), Sender()]

    with pytest.raises(SendFailed, match="hub b is away") as caught:
        await Spread(senders, 0).send(EVENTS)

    assert [len(sender.given) for sender in senders] == [3, 2, 2]
    assert (caught.value.delivery.accepted, caught.value.delivery.unknown) == (10, 1)
    assert caught.value.unsettled == lost


async def test_of_several_failures_the_one_that_waiting_does_not_cure_counts_and_all_are_told():
    permanent = away("b", kind=FailureKind.PERMANENT)
    busy = away("a", kind=FailureKind.THROTTLED, retry_after=7.0)

    with pytest.raises(SendFailed, match="hub a is away; hub b is away") as caught:
        await Spread([Sender(busy), Sender(permanent), Sender()], 0).send(EVENTS)

    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.PERMANENT, 7.0)


async def test_a_refused_login_is_told_as_such_whatever_else_failed():
    with pytest.raises(LoginRefused):
        await Spread([Sender(away("a")), Sender(LoginRefused("denied")), Sender()], 0).send(EVENTS)
