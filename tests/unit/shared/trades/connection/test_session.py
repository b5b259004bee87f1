"""One session: it connects, heals what breaks, and replaces a connection before the old one goes."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import FeedRefused, Unreachable, Untrusted
from shared.trades.connection.connection import Subscription
from shared.trades.connection.fake import FakeSocket, FakeTransport
from shared.trades.connection.session import Session, wait_before_retry
from shared.trades.venues.binance import Binance
from shared.trades.venues.readings import Connected, Interrupted, Traded
from tests.following import Heard
from tests.unit.shared.trades.simulated_venue import PlayedLoop

ACKNOWLEDGED = '{"result":null,"id":1}'
SHUTDOWN = '{"e":"serverShutdown","E":1}'
ENDED = Interrupted("the fake ended the connection")


def traded(number):
    return f'{{"e":"trade","s":"BTCUSDT","t":{number},"p":"1","q":"1","T":1,"m":true}}'


class Scene:
    """A session with Binance over the sockets that it is to be given, in a loop whose time is played."""

    def __init__(self, *sockets, limit=None, room_for=1 << 30):
        self.transport = FakeTransport(*sockets)
        self.heard = Heard(room_for)
        subscription = Subscription(Binance(), "wss://fake", ("BTCUSDT",), limit, lambda: 0)
        self.task = asyncio.create_task(Session(subscription, self.transport, self.heard, lambda: 1.0).run())
        self.task.add_done_callback(self.heard.ended)
        self.began = asyncio.get_running_loop().time()

    @property
    def opened(self):
        return [at - self.began for at in self.transport.opened]

    async def told(self, count):
        return [await self.heard.next() for _ in range(count)]

    async def end(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def played(scene):
    """Play an async function, from time zero on."""
    with asyncio.Runner(loop_factory=PlayedLoop) as runner:
        runner.run(scene())


def subscribed(*frames):
    socket = FakeSocket()
    socket.tell(ACKNOWLEDGED, *frames)
    return socket


def ids(events):
    return [trade.trade_id for event in events if isinstance(event, Traded) for trade in event.trades]


def test_a_session_subscribes_tells_that_it_is_connected_and_hands_on_trades():
    async def scene():
        socket = subscribed(traded(1), traded(2))
        session = Scene(socket)

        events = await session.told(3)

        assert (events[0], ids(events)) == (Connected(1), [1, 2])
        assert [frame for frame in socket.sent if "btcusdt@trade" in frame] == socket.sent
        await session.end()

    played(scene)


def test_an_interruption_is_told_and_the_next_connection_waits_for_half_a_second():
    async def scene():
        first, second = subscribed(), subscribed(traded(2))
        first.end()
        session = Scene(first, second)

        events = await session.told(4)

        assert events[:3] == [Connected(1), ENDED, Connected(2)]
        assert session.opened == [0, 0.5]
        assert first.closed.is_set()
        await session.end()

    played(scene)


def test_venues_that_can_not_be_reached_are_tried_more_and_more_rarely():
    async def scene():
        session = Scene(*[Unreachable("no answer")] * 8)

        events = await session.told(8)

        assert events == [Interrupted("no answer")] * 8
        assert session.opened == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 61.5]
        await session.end()

    played(scene)


def test_a_connection_that_stood_for_a_minute_resets_the_back_off():
    async def scene():
        steady = subscribed()
        failures = [Unreachable("no answer")] * 3
        session = Scene(*failures, steady, subscribed())
        await session.told(4)
        connected_at = session.opened[-1]
        asyncio.get_running_loop().call_later(59, steady.tell, traded(1))
        asyncio.get_running_loop().call_later(61, steady.end)

        events = await session.told(3)

        assert events[1:] == [ENDED, Connected(2)]
        assert session.opened[-1] == connected_at + 61 + 0.5
        await session.end()

    played(scene)


def test_a_connection_that_soon_breaks_does_not_reset_the_back_off():
    async def scene():
        brief = subscribed()
        session = Scene(*[Unreachable("no answer")] * 3, brief, subscribed())
        await session.told(4)
        connected_at = session.opened[-1]
        asyncio.get_running_loop().call_later(30, brief.end)

        await session.told(2)

        assert session.opened[-1] == connected_at + 30 + 4
        await session.end()

    played(scene)


def test_the_wait_that_a_venue_asks_for_is_kept():
    async def scene():
        session = Scene(Unreachable("slow down", retry_after=7.0), subscribed())

        await session.told(2)

        assert session.opened == [0, 7]
        await session.end()

    played(scene)


def test_a_leaving_venue_is_left_only_once_the_next_connection_stands():
    async def scene():
        old, new = subscribed(SHUTDOWN), FakeSocket()
        session = Scene(old, new)
        await session.told(1)
        await asyncio.sleep(1)
        old.tell(traded(1))
        before = await session.told(1)

        new.tell(ACKNOWLEDGED, traded(2))
        after = await session.told(2)
        old.tell(traded(3))
        overlapping = await session.told(1)
        was_open = not old.closed.is_set()
        await old.closed.wait()

        assert (ids(before), after[0], ids(after), ids(overlapping)) == ([1], Connected(2), [2], [3])
        assert was_open
        assert session.heard.events.empty()
        await session.end()

    played(scene)


def test_a_connection_is_replaced_before_the_venues_limit():
    async def scene():
        old = subscribed()
        session = Scene(old, subscribed(), limit=timedelta(hours=24))
        for minutes in range(24 * 60):
            asyncio.get_running_loop().call_later(60 * minutes + 30, old.tell, ACKNOWLEDGED)

        events = await session.told(2)

        assert events == [Connected(1), Connected(2)]
        assert session.opened[1] == pytest.approx(24 * 3600 - 600, abs=61)
        await session.end()

    played(scene)


def test_a_next_connection_that_fails_leaves_the_active_one_alone():
    async def scene():
        old = subscribed(SHUTDOWN)
        session = Scene(old, Unreachable("not yet"), subscribed())
        events = await session.told(2)

        assert events == [Connected(1), Connected(2)]
        assert len(session.opened) == 3
        await session.end()

    played(scene)


def test_a_silent_connection_is_given_up():
    async def scene():
        session = Scene(subscribed(), subscribed())

        events = await session.told(3)

        assert events == [Connected(1), Interrupted("binance said nothing for 60 s"), Connected(2)]
        await session.end()

    played(scene)


def test_a_subscription_that_nobody_acknowledges_is_given_up():
    async def scene():
        session = Scene(FakeSocket(), subscribed())

        events = await session.told(2)

        assert events == [Interrupted("binance did not acknowledge the subscription within 10 s"), Connected(1)]
        await session.end()

    played(scene)


def test_a_full_listener_holds_the_reading_up_and_silence_is_then_no_fault_of_the_venue():
    async def scene():
        socket = subscribed(*map(traded, range(1, 101)))
        session = Scene(socket, room_for=10)
        await session.heard.held_up.wait()
        await asyncio.sleep(600)
        unread, waiting = socket.frames.qsize(), session.heard.events.qsize()

        events = await session.told(101)

        assert (unread, waiting) == (91, 10)
        assert (events[0], ids(events)) == (Connected(1), [*range(1, 101)])
        await session.end()

    played(scene)


def test_a_venue_that_closes_an_unread_connection_has_interrupted():
    async def scene():
        socket = subscribed(*map(traded, range(1, 101)))
        socket.end()
        session = Scene(socket, subscribed(), room_for=10)
        await session.heard.held_up.wait()

        events = await session.told(103)

        assert ids(events) == [*range(1, 101)]
        assert events[-2:] == [ENDED, Connected(2)]
        await session.end()

    played(scene)


@pytest.mark.parametrize("error", [FeedRefused("451"), Untrusted("whose certificate is this"), ValueError("a bug")])
def test_what_no_retry_can_cure_is_raised(error):
    async def scene():
        session = Scene(error)

        with pytest.raises(type(error), match=str(error)):
            await session.task

    played(scene)


def test_a_refused_subscription_is_raised_in_the_venues_words():
    async def scene():
        session = Scene(subscribed('{"code": 2, "msg": "Invalid request"}'))

        with pytest.raises(FeedRefused, match="binance refused BTCUSDT: Invalid request"):
            await session.task

    played(scene)


def test_an_error_while_reading_is_raised_and_everything_is_closed():
    async def scene():
        socket = subscribed()
        socket.end(ValueError("a bug"))
        session = Scene(socket)

        with pytest.raises(ValueError, match="a bug"):
            await session.task

        assert socket.closed.is_set()

    played(scene)


def test_a_cancelled_session_closes_all_its_connections():
    async def scene():
        old, new = subscribed(SHUTDOWN), FakeSocket()
        session = Scene(old, new)
        await session.told(1)
        await asyncio.sleep(1)

        await session.end()

        assert old.closed.is_set()
        assert new.closed.is_set()

    played(scene)


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1), asked=st.floats(0, 1e9))
def test_no_wait_is_longer_than_thirty_seconds(failures, draw, asked):
    assert 0 <= wait_before_retry(failures, draw, asked) <= 30


def test_the_wait_is_drawn_below_a_ceiling_that_doubles():
    assert [wait_before_retry(failures, 0.5) for failures in (1, 2, 3)] == [0.25, 0.5, 1.0]
