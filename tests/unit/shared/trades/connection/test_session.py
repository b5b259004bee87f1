"""One session: it connects, heals what breaks, and replaces a connection before the old one goes."""

import asyncio
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unreachable, Untrusted
from shared.trades.connection.connection import Subscription
from shared.trades.connection.fake import FakeSocket, FakeTransport
from shared.trades.connection.limiter import RequestLimiter
from shared.trades.connection.session import Session, wait_before_retry
from shared.trades.venues.binance import Binance
from shared.trades.venues.bitstamp import Bitstamp
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.kraken import Kraken
from shared.trades.venues.readings import Connected, Heartbeat, Interrupted, Listening, MarketRefused, Traded
from shared.trades.venues.venue import RequestLimit
from tests.following import Heard
from tests.unit.shared.trades.simulated_venue import PlayedLoop

ACKNOWLEDGED = '{"result":null,"id":1}'
SHUTDOWN = '{"e":"serverShutdown","E":1}'
ENDED = Interrupted("the fake ended the connection")


def traded(number):
    return f'{{"e":"trade","s":"BTCUSDT","t":{number},"p":"1","q":"1","T":1,"m":true}}'


def coinbase(symbol):
    return json.dumps({"type": "subscriptions", "channels": [{"name": "matches", "product_ids": [symbol]}]})


class Scene:
    """A session with Binance over the sockets that it is to be given, in a loop whose time is played."""

    def __init__(self, *sockets, limit=None, room_for=1 << 30, venue=None, symbols=("BTCUSDT",)):
        self.limiter = RequestLimiter(RequestLimit(1, 0.0), asyncio.get_running_loop().time)
        self.transport = FakeTransport(*sockets)
        self.heard = Heard(room_for)
        subscription = Subscription(venue or Binance(), "wss://fake", symbols, limit, lambda: 0, self.limiter)
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


def test_a_fault_of_ours_is_raised():
    async def scene():
        session = Scene(ValueError("a bug"))

        with pytest.raises(ValueError, match="a bug"):
            await session.task

    played(scene)


@pytest.mark.parametrize("error", [Unreachable("answered 451"), Untrusted("whose certificate is this")])
def test_a_venue_that_will_not_have_us_now_is_asked_again_and_costs_its_own_markets(error):
    async def scene():
        session = Scene(error, subscribed(traded(1)))

        events = await session.told(3)

        assert events[:2] == [Interrupted(str(error)), Connected(1)]
        assert ids(events) == [1]
        await session.end()

    played(scene)


def test_a_refused_subscription_is_told_in_the_venues_words_and_nothing_more_is_tried():
    async def scene():
        session = Scene(subscribed('{"code": 2, "msg": "Invalid request"}'), subscribed())

        events = await session.told(2)
        await asyncio.sleep(600)

        assert events == [Connected(1), MarketRefused("BTCUSDT", "binance refused BTCUSDT: Invalid request")]
        assert (len(session.opened), session.heard.events.empty()) == (1, True)
        await session.end()

    played(scene)


def saying(*frames):
    socket = FakeSocket()
    socket.tell(*frames)
    return socket


def kraken(symbol, error=""):
    about = {"success": False, "error": error, "symbol": symbol} if error else {"result": {"symbol": symbol}}
    return json.dumps({"method": "subscribe"} | about)


NO_PE = '{"type":"error","message":"Failed to subscribe","reason":"NO-PE is not a valid product"}'


def test_a_refused_market_is_named_and_the_other_is_followed_in_a_connection_of_its_own():
    async def scene():
        second = saying(coinbase("BTC-USD"))
        session = Scene(saying(NO_PE), second, venue=Coinbase(), symbols=("NO-PE", "BTC-USD"))

        events = await session.told(2)

        words = "coinbase refused NO-PE: Failed to subscribe: NO-PE is not a valid product"
        assert events == [MarketRefused("NO-PE", words), Connected(1)]
        assert json.loads(second.sent[0])["product_ids"] == ["BTC-USD"]
        await session.end()

    played(scene)


def test_a_refused_market_beside_one_that_stands_does_not_disturb_it():
    async def scene():
        socket = saying(kraken("BTC/USD"), kraken("NO/PE", "Currency pair not supported NO/PE"))
        session = Scene(socket, venue=Kraken(), symbols=("BTC/USD", "NO/PE"))

        events = await session.told(2)

        words = "kraken refused NO/PE: Currency pair not supported NO/PE"
        assert events == [Connected(1, ("BTC/USD",)), MarketRefused("NO/PE", words)]
        assert len(session.opened) == 1
        await session.end()

    played(scene)


PASSING = {
    "kraken, rate": (Kraken(), "BTC/USD", '{"method":"subscribe","success":false,"error":"Exceeded msg rate"}'),
    "kraken, unavailable": (Kraken(), "BTC/USD", kraken("BTC/USD", "EService:Unavailable")),
    "kraken, too many": (Kraken(), "BTC/USD", kraken("BTC/USD", "EGeneral:Too many requests")),
    "coinbase": (Coinbase(), "BTC-USD", '{"type":"error","message":"Internal server error"}'),
    "bitstamp": (Bitstamp(), "btcusd", '{"event":"bts:error","data":{"message":"Rate limit exceeded."}}'),
    "binance": (Binance(), "BTCUSDT", '{"error":{"code":1,"msg":"Too many subscriptions"},"id":1}'),
    "words that no table has": (Coinbase(), "BTC-USD", '{"type":"error","message":"The moon is full"}'),
}


@pytest.mark.parametrize(("venue", "symbol", "frame"), PASSING.values(), ids=PASSING)
def test_passing_words_of_a_venue_lead_to_another_connection_after_a_wait(venue, symbol, frame):
    async def scene():
        session = Scene(saying(frame), FakeSocket(), venue=venue, symbols=(symbol,))

        (event,) = await session.told(1)
        await asyncio.sleep(5)

        assert isinstance(event, Interrupted)
        assert event.reason.startswith(f"{venue.name} answered ")
        assert len(session.opened) == 2
        assert session.opened[1] in {0.5, 4.0}
        assert not session.task.done()
        await session.end()

    played(scene)


def test_a_symbol_that_is_acknowledged_later_is_named_and_one_that_never_is_is_not():
    async def scene():
        socket = saying(kraken("BTC/USD"))
        asyncio.get_running_loop().call_later(2, socket.tell, kraken("ETH/USD"))
        session = Scene(socket, venue=Kraken(), symbols=("BTC/USD", "ETH/USD", "SOL/USD"))
        for second in range(1, 30):
            asyncio.get_running_loop().call_later(second, socket.tell, '{"channel":"heartbeat"}')

        events = await session.told(2)
        await asyncio.sleep(20)

        assert events == [Connected(1, ("BTC/USD",)), Heartbeat()]
        told = [session.heard.events.get_nowait() for _ in range(session.heard.events.qsize())]
        assert [event for event in told if not isinstance(event, Heartbeat)] == [Listening("ETH/USD")]
        await session.end()

    played(scene)


def test_a_ban_is_waited_out_whatever_its_length_and_never_asked_into():
    async def scene():
        session = Scene(Unreachable("answered 418", throttled=True, retry_after=960.0), subscribed())

        await session.told(2)

        assert session.opened == [0, 960]
        await session.end()

    played(scene)


def test_a_ban_that_another_request_met_keeps_the_session_from_connecting():
    async def scene():
        asyncio.get_running_loop().call_soon(lambda: None)
        session = Scene(Unreachable("no answer"), subscribed())
        session.limiter.close_for(300.0)

        await session.told(2)

        assert session.opened[-1] >= 300
        await session.end()

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


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1), asked=st.floats(0, 1e9), throttled=st.booleans())
def test_no_wait_is_longer_than_thirty_seconds_unless_the_venue_asks_for_it(failures, draw, asked, throttled):
    wait = wait_before_retry(failures, draw, asked, throttled=throttled)

    assert asked <= wait <= max(30, asked)


def test_the_wait_is_drawn_below_a_ceiling_that_doubles():
    assert [wait_before_retry(failures, 0.5) for failures in (1, 2, 3)] == [0.25, 0.5, 1.0]
