import asyncio
import json
import time

import aiohttp
import pytest

from emulators.exchange.instants import from_text
from emulators.exchange.venues.binance import Binance

FAULTED = ("coinbase", "binance", "kraken", "bitstamp")


async def test_a_hole_is_missing_on_the_socket_and_found_by_rest(exchange):
    listener = await exchange.subscribe(channels=["matches"])
    (before,) = await listener.matches(1)

    await exchange.fault("hole", symbol="BTC-USD", count=50)
    last, next_ = await listener.jump(before)
    missing = await exchange.coinbase_ids(before=last, after=next_)

    assert next_ - last == 51
    assert missing == list(range(next_ - 1, last, -1))


async def test_a_lost_hole_is_in_the_truth_alone(exchange):
    await exchange.fault("hole", symbol="BTC-USD", count=5, rest=False)
    listener = await exchange.subscribe(channels=["matches"])
    (match,) = await listener.matches(1)

    _, truth = await exchange.admin("GET", "/trades", venue="coinbase", symbol="BTC-USD")
    lost = [trade["trade_id"] for trade in truth["trades"] if trade["lost"]]

    assert lost == list(range(match["trade_id"] - 5, match["trade_id"]))
    assert await exchange.coinbase_ids(before=lost[0] - 1, after=lost[-1] + 1) == []


async def test_a_late_trade_keeps_its_time(exchange):
    listener = await exchange.subscribe(channels=["matches"])
    await listener.matches(1)

    await exchange.fault("late", symbol="BTC-USD", count=1, seconds=0.5)
    highest, match = 0, (await listener.matches(1))[0]
    while match["trade_id"] > highest:
        highest, highest_time = match["trade_id"], match["time"]
        (match,) = await listener.matches(1)

    assert 0.4e6 < from_text(highest_time) - from_text(match["time"]) < 3e6


@pytest.mark.parametrize("venue", FAULTED)
async def test_a_disconnect_ends_the_connection_without_a_close_frame(exchange, venue):
    listener = await exchange.subscribe(venue)
    await listener.frame()

    await exchange.fault("disconnect", venue)

    assert await listener.end() == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_a_disconnect_with_a_code_closes_with_it(exchange):
    listener = await exchange.subscribe()

    await exchange.fault("disconnect", code=1012)

    assert await listener.end() == 1012


async def test_an_outage_drops_and_refuses_until_it_is_over(exchange):
    listener = await exchange.subscribe()
    begun = time.monotonic()

    await exchange.fault("outage", seconds=0.6)

    await listener.end()
    with pytest.raises(aiohttp.ClientError):
        await exchange.subscribe()
    with pytest.raises(aiohttp.ClientError):
        await exchange.coinbase_ids()
    assert await exchange.subscribe("kraken")
    while not await _reachable(exchange):
        assert time.monotonic() - begun < 30
    assert time.monotonic() - begun >= 0.6


async def test_an_outage_can_leave_rest_up(exchange):
    await exchange.fault("outage", seconds=30, rest=True)

    with pytest.raises(aiohttp.ClientError):
        await exchange.subscribe()
    assert await exchange.coinbase_ids(limit=1)


async def test_in_silence_nothing_comes_and_what_was_not_sent_is_a_gap(exchange):
    listener = await exchange.subscribe()
    (before,) = await listener.matches(1)
    begun = time.monotonic()

    await exchange.fault("silence", seconds=0.7)
    last, next_ = await listener.jump(before)

    assert time.monotonic() - begun >= 0.6
    assert next_ - last > 20
    assert await exchange.coinbase_ids(before=last, after=last + 2) == [last + 1]


async def test_a_skewed_clock_shows_in_the_trades_and_the_truth(exchange):
    await exchange.fault("skew", seconds=-30)
    listener = await exchange.subscribe(channels=["matches"])
    match = (await listener.matches(20))[-1]

    _, health = await exchange.admin("GET", "/health")
    _, truth = await exchange.admin("GET", "/trades", venue="coinbase", symbol="BTC-USD")

    stamps = {trade["trade_id"]: trade["time"] for trade in truth["trades"]}
    assert stamps[match["trade_id"]] == match["time"]
    assert 29.5e6 < from_text(health["time"]) - from_text(match["time"]) < 31e6


@pytest.mark.parametrize("venue", FAULTED)
async def test_a_malformed_frame_breaks_off_and_the_feed_goes_on(exchange, venue):
    listener = await exchange.subscribe(venue)
    await listener.frame()

    await exchange.fault("malformed", venue, count=2)
    broken = 0
    while broken < 2:
        frame = await listener.text()
        broken += _is_broken(frame)

    assert await listener.frame()


async def test_an_unknown_frame_is_sent_as_often_as_ordered(exchange):
    listener = await exchange.subscribe()

    await exchange.fault("unknown", count=3)

    known = {"subscriptions", "last_match", "match", "heartbeat"}
    for _ in range(3):
        assert (await listener.until(lambda frame: frame["type"] not in known))["type"] == "auction_preview"


@pytest.mark.parametrize(
    ("venue", "is_notice"),
    [
        ("binance", lambda frame: frame.get("e") == "serverShutdown"),
        ("bitstamp", lambda frame: frame["event"] == "bts:request_reconnect"),
        ("kraken", lambda frame: frame.get("channel") == "status" and frame["data"][0]["system"] == "maintenance"),
    ],
)
async def test_a_shutdown_is_announced_before_the_connection_closes(exchange, venue, is_notice):
    listener = await exchange.subscribe(venue)

    await exchange.fault("shutdown", venue, seconds=0.2)

    assert await listener.until(is_notice)
    assert await listener.end() == aiohttp.WSCloseCode.GOING_AWAY


async def test_a_connection_lives_no_longer_than_its_limit(exchange):
    await exchange.fault("connection_limit", seconds=0.3)
    listener = await exchange.subscribe()
    begun = time.monotonic()

    assert await listener.end() == aiohttp.WSCloseCode.GOING_AWAY
    assert time.monotonic() - begun < 2


async def test_too_many_requests_names_the_wait_and_ends_with_its_count(exchange):
    await exchange.fault("too_many_requests", count=2, retry_after=1.5)

    answers = [await exchange.page("/coinbase/products") for _ in range(3)]

    assert [status for status, _, _ in answers] == [429, 429, 200]
    assert answers[0][2]["Retry-After"] == "1.5"
    assert answers[0][1] == {"message": "Public rate limit exceeded"}


async def test_kraken_refuses_a_page_within_an_answer(exchange):
    await exchange.fault("too_many_requests", "kraken", status=200, words="EAPI:Rate limit exceeded")

    status, body, headers = await exchange.page("/kraken/0/public/AssetPairs")

    assert (status, body) == (200, {"error": ["EAPI:Rate limit exceeded"]})
    assert "Retry-After" not in headers


@pytest.mark.parametrize("venue", FAULTED)
async def test_refused_subscription_is_answered_in_the_ordered_words_and_the_next_one_stands(exchange, venue):
    await exchange.fault("refuse_subscription", venue, words="Come back later")
    refused = await exchange.subscribe(venue)

    assert "Come back later" in str(await refused.until(lambda frame: "later" in str(frame)))
    assert await (await exchange.subscribe(venue)).until(lambda frame: "later" not in str(frame))


@pytest.mark.parametrize("venue", FAULTED)
async def test_error_frame_comes_without_being_asked_for(exchange, venue):
    listener = await exchange.subscribe(venue)
    await listener.frame()

    await exchange.fault("error_frame", venue, words="Come back later")

    assert await listener.until(lambda frame: "Come back later" in str(frame))


async def test_an_empty_trade_is_empty_on_the_socket_by_rest_and_in_the_truth(exchange):
    listener = await exchange.subscribe(channels=["matches"])
    await listener.matches(1)

    await exchange.fault("zero", symbol="BTC-USD", count=1)
    match = await listener.until(lambda frame: frame["type"] == "match" and not float(frame["size"]))
    _, rows, _ = await exchange.page("/coinbase/products/BTC-USD/trades", after=match["trade_id"] + 1, limit=1)
    _, truth = await exchange.admin("GET", "/trades", venue="coinbase", symbol="BTC-USD")

    assert [(row["trade_id"], row["size"]) for row in rows] == [(match["trade_id"], match["size"])]
    assert [one["size"] for one in truth["trades"] if not float(one["size"])] == [match["size"]]


async def test_limit_of_requests_holds_for_all_clients_of_an_address_without_being_ordered(exchange):
    answers = [await exchange.page("/kraken/0/public/AssetPairs") for _ in range(40)]

    refused = [body for status, body, _ in answers if body["error"]]
    assert {status for status, _, _ in answers} == {200}
    assert not any(body["error"] for _, body, _ in answers[:15])
    assert refused[0] == {"error": ["EGeneral:Too many requests"]}


async def test_binance_tells_the_weight_that_is_used_and_bans_who_goes_on(start):
    exchange = await start(clock=lambda: 29_000_000 * 60_000_000, rate=0, history_seconds=0)

    answers = [await exchange.page("/binance/api/v3/trades", symbol="BTCUSDT", limit=1) for _ in range(243)]

    assert [headers["X-MBX-USED-WEIGHT-1M"] for _, _, headers in answers[:3]] == ["25", "50", "75"]
    assert {status for status, _, _ in answers[:240]} == {200}
    tail = [(status, body["code"], headers["Retry-After"]) for status, body, headers in answers[240:]]
    assert tail == [(429, -1003, "60"), (418, -1003, "120"), (418, -1003, "240")]


async def test_rest_goes_down_alone_and_comes_back_when_the_faults_are_cleared(exchange):
    await exchange.fault("rest_down", seconds=60)
    assert (await exchange.page("/coinbase/products"))[0] == 503
    assert await (await exchange.subscribe()).matches(1)

    _, left = await exchange.admin("DELETE", "/faults")

    assert left == {"faults": []}
    assert (await exchange.page("/coinbase/products"))[0] == 200


async def test_active_faults_are_listed(exchange):
    await exchange.fault("hole", symbol="BTC-USD", count=10**9)

    _, listed = await exchange.admin("GET", "/faults")

    assert [(fault["kind"], fault["venue"], fault["symbol"]) for fault in listed["faults"]] == [
        ("hole", "coinbase", "BTC-USD")
    ]


async def test_binance_pings_and_drops_who_does_not_answer(start, monkeypatch):
    monkeypatch.setattr(Binance, "ping_every", 0.1)
    monkeypatch.setattr(Binance, "pong_within", 0.3)
    exchange = await start(rate=100, history_seconds=0)
    answering = await exchange.subscribe("binance")
    mute = await exchange.connect_without_pong("/binance/ws/btcusdt@trade")

    reading = asyncio.create_task(answering.end())
    kinds = {message.type async for message in mute.socket}

    assert aiohttp.WSMsgType.PING in kinds
    assert await exchange.connections("binance") == 1
    assert not reading.done()
    reading.cancel()


async def _reachable(exchange) -> bool:
    try:
        await exchange.coinbase_ids(limit=1)
    except aiohttp.ClientError:
        return False
    return True


def _is_broken(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return True
    return False
