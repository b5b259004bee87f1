"""Pages of the past against a stage that answers in turn."""

import json
import time

import pytest

from shared.errors import FeedRefused, Unavailable

ROW = {"trade_id": 74, "side": "sell", "size": "1.0", "price": "10.00", "time": "2014-11-07T22:19:28.578544Z"}
PAGE = (200, {}, json.dumps([ROW, ROW | {"trade_id": 73}]).encode())


async def test_no_request_asks_for_the_newest_page(stage):
    stage.answers = [PAGE]

    page = await stage.client().page("BTC-USD")

    assert [trade.trade_id for trade in page.trades] == [73, 74]
    assert stage.requests == ["/products/BTC-USD/trades?limit=1000"]


async def test_request_of_a_page_leads_to_the_older_one(stage):
    stage.answers = [PAGE]
    market = stage.client()

    await market.page("BTC-USD", (await market.page("BTC-USD")).older)

    assert stage.requests[1] == "/products/BTC-USD/trades?limit=1000&after=73"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_busy_venue_is_asked_again(stage, status):
    stage.answers = [(status, {}, b"busy"), (status, {}, b"busy"), PAGE]

    assert len((await stage.client().page("BTC-USD")).trades) == 2
    assert len(stage.requests) == 3


async def test_wait_that_the_venue_asks_for_is_kept(stage):
    stage.answers = [(429, {"Retry-After": "0.3"}, b"slow down"), PAGE]
    begun = time.monotonic()

    await stage.client().page("BTC-USD")

    assert time.monotonic() - begun >= 0.3


async def test_fourth_refusal_is_the_last(stage):
    stage.answers = [(503, {}, b"down for maintenance")]

    with pytest.raises(Unavailable, match=f"{stage.address} answered 503: down for maintenance"):
        await stage.client().page("BTC-USD")

    assert len(stage.requests) == 4


async def test_unknown_product_is_refused_in_the_venues_words(stage):
    stage.answers = [(404, {}, b'{"message":"NotFound"}')]

    with pytest.raises(FeedRefused, match="NotFound"):
        await stage.client().page("NO-PE")

    assert len(stage.requests) == 1


async def test_answer_that_is_no_page_names_the_address_and_the_reason(stage):
    stage.answers = [(200, {}, b"<html>")]

    with pytest.raises(Unavailable, match=r"/products/BTC-USD/trades gave not a page of trades"):
        await stage.client().page("BTC-USD")
