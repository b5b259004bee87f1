import json
from decimal import Decimal

import pytest

from emulators.exchange.instants import SECOND
from emulators.exchange.venue import Opening, PageRequest
from emulators.exchange.venues.kraken import Kraken, trades_page

NOW, LATER = 9 * SECOND, 2_000_000_000 * SECOND


@pytest.fixture
def feed(feed_of):
    return feed_of("kraken", "BTC/USD", range(1, 8))


@pytest.fixture
def dialogue(feed):
    return Kraken().converse(Opening("/v2"), feed, lambda: NOW)


def say(dialogue, method="subscribe", **params) -> list[dict]:
    request = {"method": method, "params": {"channel": "trade"} | params, "req_id": 4}
    return [json.loads(frame) for frame in dialogue.receive(json.dumps(request), NOW)]


def test_it_opens_with_its_status(dialogue):
    (status,) = map(json.loads, dialogue.greet(NOW))

    assert (status["channel"], status["data"][0]["system"]) == ("status", "online")


def test_each_symbol_is_answered_alone(dialogue):
    good, bad = say(dialogue, symbol=["BTC/USD", "X/Y"])

    assert good["result"] == {"channel": "trade", "symbol": "BTC/USD", "snapshot": False}
    assert (good["success"], good["req_id"]) == (True, 4)
    assert (bad["success"], bad["error"], bad["symbol"]) == (False, "Currency pair not supported X/Y", "X/Y")


def test_a_snapshot_comes_on_request(dialogue):
    _, snapshot = say(dialogue, symbol=["BTC/USD"], snapshot=True)

    assert snapshot["type"] == "snapshot"
    assert [row["trade_id"] for row in snapshot["data"]] == [1, 2, 3, 4, 5, 6, 7]


def test_several_trades_share_a_message_and_numbers_keep_their_digits(dialogue, trade):
    say(dialogue, symbol=["BTC/USD"])

    (frame,) = dialogue.trade_frames([trade(8, "BTC/USD"), trade(9, "BTC/USD", "sell"), trade(9, "ETH/USD")], NOW)

    update = json.loads(frame, parse_float=Decimal)
    assert [row["side"] for row in update["data"]] == ["buy", "sell"]
    assert update["data"][0] == {
        "symbol": "BTC/USD",
        "side": "buy",
        "price": Decimal("67250.10"),
        "qty": Decimal("0.02000000"),
        "ord_type": "limit",
        "trade_id": 8,
        "timestamp": "1970-01-01T00:00:08.000000Z",
    }
    assert b"67250.10" in frame


def test_a_heartbeat_comes_when_nothing_else_did(dialogue, trade):
    assert dialogue.beat(NOW) == []
    say(dialogue, symbol=["BTC/USD"])
    dialogue.trade_frames([trade(8, "BTC/USD")], NOW)

    assert dialogue.beat(NOW + SECOND - 1) == []
    assert dialogue.beat(NOW + SECOND) == [b'{"channel":"heartbeat"}']


def test_ping_is_answered_with_pong(dialogue):
    (pong,) = say(dialogue, "ping")

    assert (pong["method"], pong["req_id"]) == ("pong", 4)


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("dance", {}, "Unsupported method"),
        ("subscribe", {"channel": "weather", "symbol": ["BTC/USD"]}, "Channel not supported"),
        ("subscribe", {"symbol": []}, "Symbol(s) not found"),
        ("unsubscribe", {"symbol": ["BTC/USD"]}, "Subscription Not Found"),
    ],
)
def test_wrong_requests_are_refused(dialogue, method, params, error):
    (answer,) = say(dialogue, method, **params)

    assert (answer["success"], answer["error"]) == (False, error)


def test_what_is_no_json_is_refused(dialogue):
    assert json.loads(dialogue.receive("{", NOW)[0])["success"] is False


def result(feed, **query) -> dict:
    return json.loads(trades_page(PageRequest(LATER, LATER, "", query), feed).body)


@pytest.mark.parametrize("pair", ["XBTUSD", "XXBTZUSD", "BTC/USD", "BTCUSD"])
def test_a_pair_is_known_by_each_of_its_names(feed, pair):
    assert [row[6] for row in result(feed, pair=pair, count="2")["result"]["XXBTZUSD"]] == [6, 7]


def test_a_row_has_the_documented_shape(feed):
    answer = result(feed, pair="XBTUSD", count="1")

    assert answer == {
        "error": [],
        "result": {"XXBTZUSD": [["67250.10", "0.02000000", 7.0, "b", "l", "", 7]], "last": "7000000000"},
    }


def test_since_pages_join_without_overlap_or_hole(feed_of):
    ids = range(1_800_000_001, 1_800_000_008)
    feed = feed_of("kraken", "BTC/USD", ids)

    seen, since = [], "1800000000"
    while rows := (page := result(feed, pair="XBTUSD", since=since, count="3")["result"])["XXBTZUSD"]:
        seen += [row[6] for row in rows]
        since = page["last"]

    assert seen == list(ids)


def test_since_may_be_in_seconds(feed):
    assert [row[6] for row in result(feed, pair="XBTUSD", since="5.5")["result"]["XXBTZUSD"]] == [6, 7]


@pytest.mark.parametrize(
    ("query", "error"),
    [({"pair": "XY"}, "EQuery:Unknown asset pair"), ({"pair": "XBTUSD", "since": "x"}, "EGeneral:Invalid arguments")],
)
def test_wrong_requests_have_an_error_list(feed, query, error):
    assert result(feed, **query) == {"error": [error]}
