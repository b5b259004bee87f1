"""The fake venue that other rooms test with."""

import asyncio
from contextlib import aclosing

import pytest

from shared.errors import FeedRefused
from shared.trades.connection.client import FakeMarket
from shared.trades.venues.readings import Connected, Interrupted, Traded
from shared.trades.venues.registry import venue
from shared.trades.venues.trade import Trade

SYMBOLS = {"coinbase": "BTC-USD", "binance": "BTCUSDT", "kraken": "BTC/USD"}


def trade(number, name="coinbase"):
    return Trade(name, SYMBOLS[name], "BTC", "USD", number, "1", "1", "buy", "taker", number * 1_000_000, 0, "live")


async def test_script_is_played_in_order_and_waits_at_its_gates():
    gate, seen = asyncio.Event(), []
    market = FakeMarket([Connected(1), gate, Interrupted("lost")])

    async with aclosing(market.follow(["BTC-USD"])) as events:
        seen.append(await anext(events))
        gate.set()
        seen.append(await anext(events))

    assert seen == [Connected(1), Interrupted("lost")]
    assert market.followed == [("BTC-USD",)]


async def test_exception_of_the_script_is_raised():
    with pytest.raises(FeedRefused):
        await anext(FakeMarket([FeedRefused("no such product")]).follow(["NO-PE"]))


async def test_following_ends_when_until_is_set():
    until = asyncio.Event()
    events = FakeMarket([Connected(1)]).follow(["BTC-USD"], until)
    await anext(events)
    until.set()

    assert [event async for event in events] == []


@pytest.mark.parametrize("name", SYMBOLS)
async def test_pages_answer_the_requests_that_the_venue_makes(name):
    history = [trade(number, name) for number in range(1, 26)]
    live = trade(26, name)
    market = FakeMarket([Traded((live,))], history, venue=venue(name), page_size=10)

    pages, request = [], venue(name).older_than(live.symbol, live.trade_id, live.timestamp)
    while request:
        page = await market.page(live.symbol, request)
        pages.append([one.trade_id for one in page.trades])
        request = page.older

    assert pages == [[*range(16, 26)], [*range(6, 16)], [*range(1, 6)]]


async def test_request_that_no_trade_explains_is_a_lookup_error():
    with pytest.raises(LookupError):
        await FakeMarket(history=[trade(1)]).page("BTC-USD", venue("coinbase").older_than("BTC-USD", 99, 0))
