import asyncio
import json

import aiohttp
import pytest
import websockets

from emulators.exchange.instants import from_text
from emulators.exchange.venues.coinbase import Coinbase


async def test_coinbase_trades_follow_the_last_match_without_a_hole(exchange):
    listener = await exchange.subscribe()

    last = await listener.until(lambda frame: frame["type"] == "last_match")
    matches = await listener.matches(100)

    assert [match["trade_id"] for match in matches] == list(range(last["trade_id"] + 1, last["trade_id"] + 101))


async def test_a_coinbase_heartbeat_names_the_trade_that_came_just_before_it(exchange):
    listener = await exchange.subscribe()
    last_id = 0

    while (frame := await listener.frame())["type"] != "heartbeat":
        last_id = frame.get("trade_id", last_id)

    assert frame["last_trade_id"] == last_id


async def test_a_trade_is_sent_within_a_moment_of_its_time(exchange):
    listener = await exchange.subscribe()

    (match,) = await listener.matches(1)

    _, health = await exchange.admin("GET", "/health")
    assert 0 < from_text(health["time"]) - from_text(match["time"]) < 500_000


async def test_binance_trades_are_contiguous_on_a_stream_of_the_path(exchange):
    listener = await exchange.connect("/binance/stream?streams=btcusdt@trade")

    ids = [(await listener.frame())["data"]["t"] for _ in range(50)]

    assert ids == list(range(ids[0], ids[0] + 50))


async def test_kraken_says_its_status_confirms_and_trades_contiguously(exchange):
    listener = await exchange.subscribe("kraken")

    assert (await listener.frame())["channel"] == "status"
    assert (await listener.frame())["success"] is True
    updates = [await listener.until(lambda frame: frame["channel"] == "trade") for _ in range(20)]

    ids = [row["trade_id"] for update in updates for row in update["data"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_a_quiet_kraken_sends_heartbeats(start):
    exchange = await start(rate=0, history_seconds=0)
    listener = await exchange.subscribe("kraken")

    assert await listener.until(lambda frame: frame.get("channel") == "heartbeat")


async def test_bitstamp_ids_ascend_and_are_what_happened(exchange):
    listener = await exchange.subscribe("bitstamp")
    assert (await listener.frame())["event"] == "bts:subscription_succeeded"

    ids = [(await listener.frame())["data"]["id"] for _ in range(30)]

    _, truth = await exchange.admin("GET", "/trades", venue="bitstamp", symbol="btcusd")
    happened = [trade["trade_id"] for trade in truth["trades"]]
    begin = happened.index(ids[0])
    assert ids == happened[begin : begin + 30]


async def test_an_unknown_product_is_refused_in_the_venues_words(exchange):
    listener = await exchange.subscribe(product_ids=["X-YZ"])

    assert await listener.frame() == {
        "type": "error",
        "message": "Failed to subscribe",
        "reason": "X-YZ is not a valid product",
    }


async def test_who_does_not_subscribe_to_coinbase_in_time_is_disconnected(exchange, monkeypatch):
    monkeypatch.setattr(Coinbase, "subscribe_within", 0.3)
    listener = await exchange.connect("/coinbase/ws")

    assert await listener.end() == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_two_connections_see_the_same_market(exchange):
    first, second = await exchange.subscribe(), await exchange.subscribe()

    seen = [{match["trade_id"]: match for match in await each.matches(60)} for each in (first, second)]

    shared = seen[0].keys() & seen[1].keys()
    assert len(shared) > 20
    assert all(seen[0][trade_id] == seen[1][trade_id] for trade_id in shared)


async def test_coinbase_history_walks_back_to_the_first_trade(exchange):
    seen, query = [], {}
    while ids := await exchange.coinbase_ids(limit=1000, **query):
        seen += ids
        query = {"after": ids[-1]}

    assert len(seen) > 2_000
    assert seen == list(range(seen[0], seen[-1] - 1, -1))


async def test_socket_and_history_tell_the_same_trade(exchange):
    listener = await exchange.subscribe()
    (match,) = await listener.matches(1)

    _, rows, headers = await exchange.page("/coinbase/products/BTC-USD/trades", after=match["trade_id"] + 1, limit=1)

    assert headers["CB-AFTER"] == str(match["trade_id"])
    assert rows == [{name: match[name] for name in ("trade_id", "side", "size", "price", "time")}]


async def test_every_venue_answers_its_documented_history_path(exchange):
    assert (await exchange.page("/binance/api/v3/historicalTrades", symbol="BTCUSDT", limit=5))[0] == 200
    assert (await exchange.page("/binance/api/v3/trades", symbol="NOPE"))[1] == {
        "code": -1121,
        "msg": "Invalid symbol.",
    }
    assert len((await exchange.page("/kraken/0/public/Trades", pair="XBTUSD"))[1]["result"]["XXBTZUSD"]) == 1_000
    assert len((await exchange.page("/bitstamp/api/v2/transactions/btcusd/", time="minute"))[1]) > 2_000
    assert {row["id"] for row in (await exchange.page("/coinbase/products"))[1]} > {"BTC-USD", "ETH-USD"}


async def test_the_rate_can_be_changed_while_it_runs(start):
    exchange = await start(rate=0, history_seconds=0)
    listener = await exchange.subscribe(channels=["matches"])

    await exchange.admin("POST", "/rate", {"trades_per_second": 1_000})

    assert len(await listener.matches(200)) == 200


async def test_the_websockets_library_is_served_too(exchange):
    async with websockets.connect(exchange.addresses["websocket"] + "/bitstamp/ws") as socket:
        await socket.send('{"event":"bts:heartbeat"}')
        async with asyncio.timeout(5):
            assert json.loads(await socket.recv())["data"] == {"status": "success"}
            await (await socket.ping())


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("POST", "/faults", {"kind": "flood"}, "kind"),
        ("POST", "/faults", {"kind": "hole", "symbol": "X-YZ"}, "symbol must be one of"),
        ("POST", "/rate", {"trades_per_second": -1}, "trades_per_second"),
        ("POST", "/recording", {"start": "2026-11-22T10:00:00Z"}, "--recording"),
        ("GET", "/trades", None, "venue must be one of"),
    ],
)
async def test_the_admin_interface_says_what_is_wrong(exchange, method, path, body, complaint):
    status, answer = await exchange.admin(method, path, body)

    assert status == 400
    assert complaint in answer["error"]
