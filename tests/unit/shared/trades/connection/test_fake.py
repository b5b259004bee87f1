"""The fake venue that other rooms test with."""

import asyncio
from contextlib import aclosing

import pytest

from shared.errors import FeedRefused, Unavailable
from shared.trades.connection.fake import FakeVenueClient
from shared.trades.venues.readings import Connected, Interrupted, Traded
from shared.trades.venues.registry import venue
from shared.trades.venues.trade import Trade
from tests.following import Heard, events_of

SYMBOLS = {"coinbase": "BTC-USD", "binance": "BTCUSDT", "kraken": "BTC/USD"}


def trade(number, name="coinbase"):
    return Trade(name, SYMBOLS[name], number, "1", "1", "buy", "taker", number * 1_000_000, 0, "live")


async def test_script_is_played_in_order_and_waits_at_its_gates():
    gate, seen = asyncio.Event(), []
    market = FakeVenueClient([Connected(1), gate, Interrupted("lost")])

    async with aclosing(events_of(market, ["BTC-USD"])) as events:
        seen.append(await anext(events))
        gate.set()
        seen.append(await anext(events))

    assert seen == [Connected(1), Interrupted("lost")]
    assert market.followed == [("BTC-USD",)]


async def test_exception_of_the_script_is_raised():
    with pytest.raises(FeedRefused):
        await anext(events_of(FakeVenueClient([FeedRefused("no such product")]), ["NO-PE"]))


async def test_script_waits_while_the_listener_is_full():
    client, heard = FakeVenueClient([Connected(1), Interrupted("lost")]), Heard(limit=1)
    following = asyncio.create_task(client.follow(["BTC-USD"], heard))
    await heard.held_up.wait()
    waiting = heard.events.qsize()

    told = [await heard.next(), await heard.next()]

    assert (waiting, told) == (1, [Connected(1), Interrupted("lost")])
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_history_may_not_answer():
    with pytest.raises(Unavailable, match="closed for the night"):
        await FakeVenueClient(history=Unavailable("closed for the night")).page("BTC-USD")


@pytest.mark.parametrize("name", SYMBOLS)
async def test_pages_answer_the_requests_that_the_venue_makes(name):
    history = [trade(number, name) for number in range(1, 26)]
    live = trade(26, name)
    market = FakeVenueClient([Traded((live,))], history, venue=venue(name), page_size=10)

    pages, request = [], venue(name).older_than(live.symbol, live.trade_id, live.timestamp)
    while request:
        page = await market.page(live.symbol, request)
        pages.append([one.trade_id for one in page.trades])
        request = page.older

    assert pages == [[*range(16, 26)], [*range(6, 16)], [*range(1, 6)]]


async def test_request_that_no_trade_explains_is_a_lookup_error():
    with pytest.raises(LookupError):
        await FakeVenueClient(history=[trade(1)]).page("BTC-USD", venue("coinbase").older_than("BTC-USD", 99, 0))
