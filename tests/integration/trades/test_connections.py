"""The client's connections against a stage that plays one scene a connection."""

import asyncio
import json
import socket as sockets
import time
from contextlib import aclosing, suppress
from datetime import timedelta

import pytest

from emulators.tls import make_tls_files, server_context
from shared.errors import Unavailable
from shared.trades.connection.transport import WebTransport
from shared.trades.venues.binance import Binance
from shared.trades.venues.bitstamp import Bitstamp
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.readings import (
    Connected,
    Heartbeat,
    Interrupted,
    MarketRefused,
    Snapshot,
    Traded,
    Unreadable,
)
from tests.following import Heard, events_of
from tests.integration.trades.conftest import ACK, Stage, match, quiet, serve, take


class QuickCoinbase(Coinbase):
    silence = timedelta(seconds=0.3)


class QuickBitstamp(Bitstamp):
    silence = timedelta(seconds=0.3)


def plays(*frames, then=quiet):
    async def scene(socket):
        for frame in frames:
            await socket.send_str(frame)
        await then(socket)

    return scene


async def cut(socket):
    socket._req.transport.abort()


def kinds(events):
    return [type(event).__name__ for event in events]


def ids(events):
    return [trade.trade_id for event in events if isinstance(event, Traded) for trade in event.trades]


async def test_subscription_comes_before_trades(stage):
    stage.scenes = [plays(ACK, match(7, "last_match"), match(8))]

    events = await take(stage.client(), 3)

    assert kinds(events) == ["Connected", "Snapshot", "Traded"]
    assert events[1] == Snapshot("coinbase:BTC-USD", 7, 1_795_341_600_000_001)
    assert ids(events) == [8]


async def test_trade_proves_a_subscription_that_was_never_acknowledged(stage):
    stage.scenes = [plays(match(8))]

    assert kinds(await take(stage.client(), 2)) == ["Connected", "Traded"]


@pytest.mark.parametrize("end", [cut, lambda socket: socket.close(code=1012)], ids=["cut", "closed"])
async def test_lost_connection_is_made_again(stage, end):
    stage.scenes = [plays(ACK, match(1), then=end), plays(ACK, match(2))]

    events = await take(stage.client(), 5)

    assert kinds(events) == ["Connected", "Traded", "Interrupted", "Connected", "Traded"]
    assert [event.number for event in events if isinstance(event, Connected)] == [1, 2]
    assert ids(events) == [1, 2]


async def test_silent_connection_is_given_up(stage):
    stage.scenes = [plays(ACK), plays(ACK, match(2))]

    events = await take(stage.client(QuickCoinbase()), 4)

    assert kinds(events) == ["Connected", "Interrupted", "Connected", "Traded"]
    assert events[1] == Interrupted("coinbase said nothing for 0.3 s")


async def test_pings_are_signs_of_life(stage):
    async def pinged(socket):
        for _ in range(8):
            await asyncio.sleep(0.1)
            await socket.ping()
        await socket.send_str(match(1))
        await quiet(socket)

    stage.scenes = [plays(ACK, then=pinged)]

    assert kinds(await take(stage.client(QuickCoinbase()), 2)) == ["Connected", "Traded"]


async def test_client_keeps_a_quiet_connection_alive_where_the_venue_wants_that(stage):
    async def answer(socket):
        for _ in range(4):
            assert json.loads(await socket.receive_str()) == {"event": "bts:heartbeat"}
            await socket.send_str('{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}')
        await quiet(socket)

    stage.scenes = [plays('{"event":"bts:subscription_succeeded"}', then=answer)]

    events = await take(stage.client(QuickBitstamp()), 5, ["btcusd"])

    assert events == [Connected(1), *[Heartbeat()] * 4]


async def test_connection_is_replaced_before_its_limit_without_an_interruption(stage):
    stage.scenes = [plays(ACK, match(1)), plays(ACK, match(2))]

    events = await take(stage.client(limit=timedelta(seconds=0.4)), 4)

    assert kinds(events) == ["Connected", "Traded", "Connected", "Traded"]
    assert len(stage.sockets) == 2


async def test_leaving_venue_keeps_its_old_connection_until_the_new_one_is_subscribed(stage):
    acknowledge = asyncio.Event()

    async def late(socket):
        await acknowledge.wait()
        await socket.send_str('{"result":null,"id":1}')
        await quiet(socket)

    trade = '{"e":"trade","s":"BTCUSDT","t":%d,"p":"1","q":"1","T":1,"m":true}'
    stage.scenes = [plays('{"result":null,"id":1}', trade % 1, '{"e":"serverShutdown","E":1}'), late]
    async with asyncio.timeout(5), aclosing(events_of(stage.client(Binance()), ["BTCUSDT"])) as events:
        assert [await anext(events), ids([await anext(events)])] == [Connected(1), [1]]
        await stage.opened.get()
        await stage.opened.get()

        await stage.sockets[0].send_str(trade % 2)
        assert ids([await anext(events)]) == [2]
        acknowledge.set()
        assert await anext(events) == Connected(2)
        await stage.closed.get()

        assert stage.sockets[0].close_code == 1000
        assert not stage.sockets[1].closed


async def test_venue_that_leaves_at_once_has_interrupted(stage):
    stage.scenes = [
        plays('{"result":null,"id":1}', '{"e":"serverShutdown","E":1}', then=cut),
        plays('{"result":null,"id":1}'),
    ]

    events = await take(stage.client(Binance()), 3, ["BTCUSDT"])

    assert kinds(events) == ["Connected", "Interrupted", "Connected"]


async def test_refusal_is_told_at_once_in_the_venues_words(stage):
    stage.scenes = [plays('{"type":"error","message":"Failed to subscribe","reason":"NO-PE is not a valid product"}')]

    events = await take(stage.client(), 1, ["NO-PE"])

    words = "coinbase refused NO-PE: Failed to subscribe: NO-PE is not a valid product"
    assert events == [MarketRefused("NO-PE", words)]
    assert len(stage.sockets) == 1


async def test_malformed_frame_is_told_and_the_connection_goes_on(stage):
    stage.scenes = [plays(ACK, '{"type":"ma', match(2))]

    events = await take(stage.client(), 3)

    assert kinds(events) == ["Connected", "Unreadable", "Traded"]
    assert isinstance(events[1], Unreadable)
    assert events[1].excerpt == '{"type":"ma'


async def test_closing_is_prompt_and_leaves_nothing_behind(stage):
    stage.scenes = [plays(ACK)]
    before = asyncio.all_tasks()
    events = events_of(stage.client(), ["BTC-USD"])
    await anext(events)

    begun = time.monotonic()
    await events.aclose()

    assert time.monotonic() - begun < 1.5
    await asyncio.wait_for(stage.closed.get(), 5)
    assert {task for task in asyncio.all_tasks() - before if "Connection" in str(task.get_coro())} == set()


async def test_closing_is_prompt_though_the_venue_goes_on_sending(stage):
    async def endless(socket):
        with suppress(ConnectionError):
            while True:
                await socket.send_str(match(1))

    stage.scenes = [endless]
    async with WebTransport(None) as transport:
        socket = await transport.socket(f"ws://{stage.address}/ws")
        await socket.send("subscribe")

        begun = time.monotonic()
        await socket.close()

        assert time.monotonic() - begun < 2.5


async def test_unreachable_venue_is_tried_again(stage, unused_port):
    stage.address = f"localhost:{unused_port}"

    events = await take(stage.client(), 3)

    assert kinds(events) == ["Interrupted"] * 3
    assert stage.address in events[0].reason


@pytest.mark.parametrize("status", [429, 503])
async def test_busy_venue_is_tried_again(stage, status):
    stage.refusals, stage.scenes = [status, status], [plays(ACK)]

    events = await take(stage.client(), 3)

    assert kinds(events) == ["Interrupted", "Interrupted", "Connected"]
    assert f"{stage.address} answered {status}" in events[0].reason


@pytest.mark.parametrize("status", [403, 451])
async def test_venue_that_forbids_the_connection_is_tried_again_and_costs_no_other(stage, status):
    stage.refusals, stage.scenes = [status], [plays(ACK)]

    events = await take(stage.client(), 2)

    assert kinds(events) == ["Interrupted", "Connected"]
    assert f"{stage.address} answered {status}" in events[0].reason


async def test_ban_at_the_handshake_keeps_the_pages_from_being_asked(stage):
    stage.refusals, stage.refusal_headers = [418], {"Retry-After": "60"}
    client = stage.client()

    async with aclosing(client):
        await take(client, 1)
        with pytest.raises(Unavailable, match="asked to be left alone for another 60 s"):
            await client.page("BTC-USD")

    assert stage.requests == []


async def test_full_listener_stops_the_reading_and_loses_nothing(stage):
    numbers, heard, sent = range(1, 20_001), Heard(limit=100), []

    async def told(socket):
        await socket.send_str(ACK)
        for number in numbers:
            await socket.send_str(match(number, note="x" * 2_000))
            sent.append(number)
        await quiet(socket)

    stage.scenes = [told]
    async with asyncio.timeout(60), aclosing(events_of(stage.client(QuickCoinbase()), ["BTC-USD"], heard)) as events:
        assert await anext(events) == Connected(1)
        await heard.held_up.wait()
        await asyncio.sleep(4 * QuickCoinbase.silence.total_seconds())
        waiting, sent_while_held_up = heard.events.qsize(), len(sent)

        got = [await anext(events) for _ in numbers]

    assert waiting == 100
    assert sent_while_held_up < len(numbers) / 2
    assert ids(got) == list(numbers)


async def test_certificate_of_another_authority_is_never_taken(tmp_path):
    shown, trusted = make_tls_files(tmp_path / "shown"), make_tls_files(tmp_path / "trusted")
    stage = Stage()
    runner = await serve(stage, server_context(shown.server))

    async with aclosing(stage.client(scheme="s", ca_bundle=trusted.authority)) as client:
        (event,) = await take(client, 1)
        with pytest.raises(Unavailable, match="not trusted"):
            await client.page("BTC-USD")

    assert isinstance(event, Interrupted)
    assert f"{stage.address}: certificate not trusted" in event.reason
    assert stage.sockets == stage.requests == []
    await runner.cleanup()


@pytest.fixture
def unused_port():
    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]
