"""What the real client and its fake do alike, so that the fake can't lie."""

import asyncio
import json
from contextlib import aclosing

import pytest

from shared.errors import Unavailable
from shared.trades.connection.fake import FakeVenueClient
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.readings import Connected, Heartbeat, MarketRefused, Snapshot, Traded
from tests.following import Heard, events_of
from tests.integration.trades.conftest import ACK, match, quiet

ROW = {"side": "sell", "size": "0.10", "price": "100.50", "time": "2026-11-22T10:00:00.000001Z"}
RECEIVED = 1_700_000_000_000_000
HEARTBEAT = json.dumps({"type": "heartbeat", "product_id": "BTC-USD", "last_trade_id": 8})


def page(*numbers):
    return 200, {}, json.dumps([ROW | {"trade_id": number} for number in numbers]).encode()


def trades(*numbers):
    rows = json.dumps([ROW | {"trade_id": number} for number in reversed(numbers)]).encode()
    return Coinbase().read_history(Coinbase().newest("BTC-USD"), rows, "BTC-USD", RECEIVED).trades


def real(stage):
    async def scene(socket):
        for frame in (ACK, match(7, "last_match"), HEARTBEAT):
            await socket.send_str(frame)
        await quiet(socket)

    stage.scenes = [scene]
    stage.answers = [page(5, 4), page(3, 2), page(1)]
    return stage.client()


def fake(stage):
    script = [Connected(1), Snapshot("coinbase:BTC-USD", 7, 1_795_341_600_000_001), Heartbeat("coinbase:BTC-USD", 8)]
    return FakeVenueClient(script, trades(1, 2, 3, 4, 5), page_size=2)


@pytest.fixture(params=[real, fake], ids=["real", "fake"])
def market(request, stage):
    return request.param(stage)


async def test_following_tells_connection_then_anchor_then_heartbeat(market):
    async with asyncio.timeout(5), aclosing(events_of(market, ["BTC-USD"])) as events:
        told = [await anext(events) for _ in range(3)]

    assert told == [
        Connected(1),
        Snapshot("coinbase:BTC-USD", 7, 1_795_341_600_000_001),
        Heartbeat("coinbase:BTC-USD", 8),
    ]


async def test_following_goes_on_in_silence_until_it_is_cancelled(market):
    heard = Heard()
    following = asyncio.create_task(market.follow(["BTC-USD"], heard))
    async with asyncio.timeout(5):
        for _ in range(3):
            await heard.next()

    done, _ = await asyncio.wait({following}, timeout=0.2)
    following.cancel()

    assert done == set()
    with pytest.raises(asyncio.CancelledError):
        await following


async def test_nothing_more_is_told_while_the_listener_is_full(market):
    heard = Heard(limit=2)
    following = asyncio.create_task(market.follow(["BTC-USD"], heard))
    async with asyncio.timeout(5):
        await heard.held_up.wait()
        waiting = heard.events.qsize()
        told = [await heard.next() for _ in range(3)]
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    assert waiting == 2
    assert told[2] == Heartbeat("coinbase:BTC-USD", 8)


async def test_pages_are_oldest_first_and_lead_back_to_the_beginning(market):
    pages, request = [], None
    while not pages or request:
        page = await market.page("BTC-USD", request)
        pages.append([trade.trade_id for trade in page.trades])
        request = page.older

    assert pages == [[4, 5], [2, 3], [1]]


async def test_past_trades_say_where_they_come_from(market):
    page = await market.page("BTC-USD")

    assert page.trades == trades(4, 5)
    assert {trade.origin for trade in page.trades} == {"rest"}


def refusing_real(stage):
    async def scene(socket):
        await socket.send_str('{"type":"error","message":"NO-PE is not a valid product"}')
        await quiet(socket)

    stage.scenes = [scene]
    return stage.client()


def refusing_fake(stage):
    return FakeVenueClient([MarketRefused("NO-PE", "coinbase refused NO-PE: NO-PE is not a valid product")])


@pytest.mark.parametrize("refusing", [refusing_real, refusing_fake])
async def test_refused_market_is_told_in_the_venues_words(stage, refusing):
    async with asyncio.timeout(5), aclosing(events_of(refusing(stage), ["NO-PE"])) as events:
        told = await anext(events)

    assert told == MarketRefused("NO-PE", "coinbase refused NO-PE: NO-PE is not a valid product")


def silent_real(stage):
    stage.answers = [(503, {}, b"down for maintenance")]
    return stage.client()


def silent_fake(stage):
    return FakeVenueClient(history=Unavailable("the fake answered 503: down for maintenance"))


@pytest.mark.parametrize("silent", [silent_real, silent_fake])
async def test_history_that_does_not_answer_is_unavailable(stage, silent):
    with pytest.raises(Unavailable, match="answered 503: down for maintenance"):
        await silent(stage).page("BTC-USD")


async def test_traded_holds_trades_of_the_market(stage):
    async def scene(socket):
        await socket.send_str(match(8))
        await quiet(socket)

    stage.scenes = [scene]
    script = [Connected(1), Traded(trades(8))]
    for market in (stage.client(), FakeVenueClient(script)):
        async with asyncio.timeout(5), aclosing(events_of(market, ["BTC-USD"])) as events:
            told = [await anext(events) for _ in range(2)]
        assert told[0] == Connected(1)
        assert [(trade.symbol, trade.trade_id, trade.price) for trade in told[1].trades] == [("BTC-USD", 8, "100.50")]
