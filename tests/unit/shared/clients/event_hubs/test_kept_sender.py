"""A sender that outlives a call, on a loop of its own."""

import asyncio
import contextlib
import logging
import threading

import pytest

from shared import telemetry
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.event_hubs.kept_sender import KeptSender
from shared.domain.delivery import Delivery, Event
from shared.errors import SendFailed

logger = logging.getLogger(__name__)


class Hubs(FakeEventHubs):
    """The fake, which notes when senders are lent and given back, and on which loops they are asked."""

    __slots__ = ("ahead", "asked", "lent", "meeting")

    def __init__(self):
        super().__init__({"promotions": 4})
        self.lent, self.asked, self.meeting = 0, [], None

    @contextlib.asynccontextmanager
    async def sender(self, hub, on_refusal=None, *, ahead=False):
        self.lent += 1
        self.ahead = ahead
        async with super().sender(hub, on_refusal) as sender:
            yield Noting(self, sender)
        self.lent -= 1


class Noting:
    """Notes on which loop it is asked; where two are to meet, each waits for the other."""

    def __init__(self, hubs, sender):
        self.hubs, self.sender = hubs, sender

    async def send(self, events):
        self.hubs.asked.append((asyncio.get_running_loop(), threading.current_thread()))
        telemetry.info(logger, "sending", events=len(events))
        if self.hubs.meeting:
            await self.hubs.meeting.wait()
        return await self.sender.send(events)


@pytest.fixture
def hubs():
    return Hubs()


@pytest.fixture
def sender(hubs):
    sender = KeptSender(hubs, "promotions")
    yield sender
    sender.close()


def events(count=1):
    return [Event(b"{}", 1, {}) for _ in range(count)]


def test_batches_share_one_sender_on_one_loop_that_is_not_the_callers(hubs, sender):
    deliveries = [sender.send(events(2)), sender.send(events(3))]

    (first, thread), second = hubs.asked
    assert [one.accepted for one in deliveries] == [2, 3]
    assert (first, thread) == second
    assert thread is not threading.current_thread()
    assert hubs.lent == 1


def test_batches_of_several_threads_are_sent_side_by_side(hubs, sender):
    hubs.meeting = asyncio.Barrier(2)
    senders = [threading.Thread(target=sender.send, args=(events(),)) for _ in range(2)]

    for one in senders:
        one.start()
    for one in senders:
        one.join(5)

    assert len(hubs.received["promotions"]) == 2
    assert hubs.lent == 1


def test_a_failure_reaches_the_caller_and_the_next_batch_is_sent(hubs, sender):
    hubs.fail_next("unavailable")

    with pytest.raises(SendFailed) as failed:
        sender.send(events(2))

    assert len(failed.value.unsettled) == 2
    assert sender.send(events()).accepted == 1


def test_it_connects_before_the_first_send_and_once(hubs, sender):
    sender.connect()
    sender.connect()
    before = hubs.lent
    sender.send(events())

    assert (before, hubs.lent, hubs.ahead) == (1, 1, True)


def test_nothing_is_begun_for_nothing(hubs, sender):
    assert sender.send([]) == Delivery()
    assert hubs.lent == 0


def test_what_is_told_while_sending_is_told_in_the_callers_thread(sender, caplog):
    caplog.set_level(logging.INFO)

    with telemetry.about(window="gps-1"):
        sender.send(events())

    (line,) = [one for one in caplog.records if one.name == __name__]
    assert line.getMessage() == "sending feed=gps window=gps-1 events=1"
    assert line.thread == threading.get_ident()


def test_a_closed_sender_has_given_back_what_it_was_lent(hubs):
    sender = KeptSender(hubs, "promotions")
    sender.send(events())
    (_, thread), *_ = hubs.asked

    sender.close()

    thread.join(5)
    assert hubs.lent == 0
    assert not thread.is_alive()
