"""Pages of the past against a stage that answers in turn."""

import asyncio
import json
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.failures import FailureKind
from shared.errors import FeedRefused, Unavailable
from shared.trades.history import History
from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.kraken import Kraken

ROW = {"trade_id": 74, "side": "sell", "size": "1.0", "price": "10.00", "time": "2014-11-07T22:19:28.578544Z"}
PAGE = (200, {}, json.dumps([ROW, ROW | {"trade_id": 73}]).encode())


async def test_no_request_asks_for_the_newest_page(stage):
    stage.answers = [PAGE]

    async with aclosing(stage.client()) as client:
        page = await client.page("BTC-USD")

    assert [trade.trade_id for trade in page.trades] == [73, 74]
    assert stage.requests == ["/products/BTC-USD/trades?limit=1000"]


async def test_request_of_a_page_leads_to_the_older_one(stage):
    stage.answers = [PAGE]
    market = stage.client()

    async with aclosing(market):
        await market.page("BTC-USD", (await market.page("BTC-USD")).older)

    assert stage.requests[1] == "/products/BTC-USD/trades?limit=1000&after=73"


def history(stage, silence=timedelta(seconds=5)):
    client = stage.client()
    return History(Coinbase(), client, lambda: datetime.now(UTC), asyncio.sleep, silence=silence), client


@pytest.mark.parametrize("status", [403, 418, 429, 451, 500, 503])
async def test_page_that_a_venue_does_not_give_now_is_asked_for_again(stage, status):
    headers = {"Retry-After": "0.2"}
    stage.answers = [(status, headers, b"busy"), (status, headers, b"busy"), PAGE]
    past, client = history(stage)

    async with aclosing(client):
        page = await past.page("BTC-USD", None)

    assert len(page.trades) == 2
    assert len(stage.requests) == 3


@pytest.mark.parametrize("status", [418, 429])
async def test_wait_that_the_venue_asks_for_is_kept_by_all_requests(stage, status):
    stage.answers = [(status, {"Retry-After": "0.5"}, b"slow down"), PAGE]
    client, begun = stage.client(), time.monotonic()

    async with aclosing(client):
        for symbol in ("BTC-USD", "ETH-USD"):
            with pytest.raises(Unavailable, match=r"slow down|asked to be left alone") as refusal:
                await client.page(symbol)
        assert len(stage.requests) == 1
        await asyncio.sleep(refusal.value.retry_after)
        await client.page("BTC-USD")

    assert 0.3 < refusal.value.retry_after <= 0.5
    assert time.monotonic() - begun >= 0.5


async def test_ban_that_does_not_say_how_long_is_taken_for_the_shortest(stage):
    stage.answers = [(418, {}, b"banned"), PAGE]
    client = stage.client()

    async with aclosing(client):
        for _ in range(3):
            with pytest.raises(Unavailable) as refusal:
                await client.page("BTC-USD")

    assert len(stage.requests) == 1
    assert 100 < refusal.value.retry_after <= 120


async def test_venue_that_gives_no_page_for_long_is_given_up_in_its_own_words(stage):
    stage.answers = [(503, {}, b"down for maintenance")]
    past, client = history(stage, silence=timedelta(seconds=1))

    async with aclosing(client):
        with pytest.raises(Unavailable, match=r"did not answer for 1 s: .* answered 503: down for maintenance"):
            await past.page("BTC-USD", None)

    assert len(stage.requests) == 2


async def test_all_pages_come_over_one_connection(stage):
    stage.answers = [PAGE]
    client = stage.client()

    async with aclosing(client):
        for _ in range(5):
            await client.page("BTC-USD")

    assert len(set(stage.peers)) == 1


async def test_list_of_markets_is_read(stage):
    stage.answers = [(200, {}, b'[{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD"}]')]

    async with aclosing(stage.client()) as client:
        assert await client.symbols() == {"BTC-USD": ("BTC", "USD")}

    assert stage.requests == ["/products"]


async def test_limit_that_kraken_tells_in_an_answer_with_status_200_may_pass(stage):
    stage.answers = [(200, {}, b'{"error":["EGeneral:Too many requests"]}')]

    async with aclosing(stage.client(Kraken())) as client:
        with pytest.raises(Unavailable, match="EGeneral:Too many requests") as refusal:
            await client.page("BTC/USD")

    assert refusal.value.kind is FailureKind.THROTTLED


async def test_pair_that_kraken_does_not_have_is_refused(stage):
    stage.answers = [(200, {}, b'{"error":["EQuery:Unknown asset pair"]}')]

    async with aclosing(stage.client(Kraken())) as client:
        with pytest.raises(FeedRefused, match="EQuery:Unknown asset pair"):
            await client.page("NO/PE")


async def test_unknown_product_is_refused_in_the_venues_words(stage):
    stage.answers = [(404, {}, b'{"message":"NotFound"}')]

    async with aclosing(stage.client()) as client:
        with pytest.raises(FeedRefused, match="NotFound"):
            await client.page("NO-PE")

    assert len(stage.requests) == 1


async def test_answer_that_is_no_page_names_the_address_and_the_reason(stage):
    stage.answers = [(200, {}, b"<html>")]

    async with aclosing(stage.client()) as client:
        with pytest.raises(Unavailable, match=r"/products/BTC-USD/trades gave not a page of trades"):
            await client.page("BTC-USD")
